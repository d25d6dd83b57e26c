// scion prepare: corpus → checked manifest and tokenizer.
#include "scion/data/corpora/prepare.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "scion/cli/commands.h"
#include "scion/cli/config_flags.h"
#include "scion/core/error.h"
#include "scion/core/options.h"

namespace scion {

void add_prepare(CLI::App& app) {
  struct PrepareArguments {
    PrepareConfig config;
    Options options;
    std::string source, out;
    bool dump = false;
  };
  auto arguments = std::make_shared<PrepareArguments>();
  arguments->config.declare(arguments->options);
  CLI::App* command = app.add_subcommand("prepare", "check a corpus, train its tokenizer");
  command
      ->add_option("source", arguments->source,
                   "a manifest, or a corpus of Kaldi, Lhotse, Common Voice or LibriSpeech")
      ->required();
  command->add_option("--out", arguments->out, "folder to write; must not exist");
  command->add_flag("--dump-config", arguments->dump, "print what would be done, and stop");
  add_option_flags(*command, {arguments, &arguments->options});
  command->callback([arguments] {
    if (arguments->dump) {
      fmt::print("{}", arguments->options.to_toml());
      return;
    }
    if (arguments->out.empty()) throw UserError("--out is missing", "name the folder to write");
    prepare(arguments->config, arguments->source, arguments->out);
  });
}

}  // namespace scion
