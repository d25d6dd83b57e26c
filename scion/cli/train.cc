// scion train: one training run.
#include <fmt/format.h>

#include <filesystem>

#include "scion/cli/commands.h"
#include "scion/cli/config_flags.h"
#include "scion/core/log.h"
#include "scion/training/run/run_folder.h"
#include "scion/training/trainer.h"

namespace scion {

void add_train(CLI::App& app) {
  struct TrainArguments {
    std::string config, preset, out, distill;
    bool dump = false;
  };
  auto arguments = std::make_shared<TrainArguments>();
  CLI::App* command = app.add_subcommand("train", "train a recogniser");
  command->add_option("--config", arguments->config, "TOML file, see docs/options.md")->required();
  command->add_option(
      "--preset,--model.preset", arguments->preset,
      fmt::format("model, instead of the file's: {}", fmt::join(preset_names(), ", ")));
  command->add_option("--out", arguments->out, "folder of the run");
  command->add_option("--distill", arguments->distill,
                      "teacher to distil from: short for --train.distill.teacher");
  command->add_flag("--dump-config", arguments->dump, "print the configuration and stop");
  command->footer("Every option of the configuration is also a flag: --train.peak_lr 3e-3");
  command->allow_extras();
  command->callback([arguments, command] {
    RunConfig config = read_run_config(arguments->config, arguments->preset);
    apply_config_flags(config, command->remaining(),
                       {"config", "preset", "out", "distill", "dump-config", "help"});
    if (!arguments->distill.empty()) config.train.distill.teacher = arguments->distill;
    // Flags' paths are relative to the working directory; the run's record needs whole ones.
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
    fmt::print("{}\n", RunFiles(arguments->out).model().string());
  });
}

}  // namespace scion
