// scion config: the reference of all options, and the presets.
#include <fmt/format.h>

#include "scion/cli/commands.h"
#include "scion/training/config/run_config.h"

namespace scion {

void add_config(CLI::App& app) {
  auto markdown = std::make_shared<bool>(false);
  auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("config", "print a configuration with every option");
  command->add_flag("--markdown", *markdown, "print the reference as Markdown (docs/options.md)");
  command->add_option("--preset", *name, fmt::format("model: {}", fmt::join(preset_names(), ", ")));
  command->callback([markdown, name] {
    RunConfig config;
    if (!name->empty()) config.model = preset(*name);
    Options options;
    config.declare(options);
    fmt::print("{}", *markdown ? options.to_markdown() : options.to_toml());
  });
}

}  // namespace scion
