// scion train: one training run.
#include <fmt/format.h>

#include <filesystem>

#include "scion/cli/commands.h"
#include "scion/cli/config_flags.h"
#include "scion/core/log.h"
#include "scion/training/trainer.h"

namespace scion {

void add_train(CLI::App& app) {
  struct TrainArguments {
    std::string config, out, distill;
    bool dump = false;
  };
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command = app.add_subcommand("train", "train a recogniser");
  command->add_option("--config", arguments->config, "TOML file, see docs/options.md")->required();
  command->add_option("--out", arguments->out, "folder of the run");
  command->add_option("--distill", arguments->distill,
                      "teacher whose outputs are learnt as well: short for --train.distill");
  command->add_flag("--dump-config", arguments->dump, "print what would run, and stop");
  command->footer("Every option of the configuration is a flag, too: --train.peak_lr 3e-3");
  command->allow_extras();
  command->callback([arguments, command] {
    RunConfig config = read_run_config(arguments->config);
    apply_config_flags(config, command->remaining(),
                       {"config", "out", "distill", "dump-config", "help"});
    if (!arguments->distill.empty()) config.train.distill = arguments->distill;
    // What is written down with the run is read again from elsewhere.
    resolve_paths(config, std::filesystem::current_path());
    config.validate();
    if (arguments->dump) {
      fmt::print("{}", config.to_toml());
      return;
    }
    if (arguments->out.empty()) throw UserError("--out is missing", "name the folder of the run");
    log_info("trains {} for {} epochs into {}", arguments->config, config.train.epochs,
             arguments->out);
    train(config, arguments->out);
    fmt::print("{}\n", (std::filesystem::path(arguments->out) / "model.safetensors").string());
  });
}

}  // namespace scion
