// Flags for the options of a configuration file.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "scion/core/error.h"
#include "scion/core/options.h"

namespace scion {

/// A flag of the command for every declared option, which stay alive with the command.
inline void add_option_flags(CLI::App& command, const std::shared_ptr<Options>& options) {
  for (const auto& option : options->all()) {
    const std::string flag = "--" + option->key();
    command
        .add_option_function<std::string>(
            flag,
            [options, key = option->key(), flag](const std::string& text) {
              options->set(key, text, flag);
            },
            option->help())
        ->default_str(option->value().is_string() ? option->value().get<std::string>()
                                                  : option->value().dump());
  }
}

/// `--train.peak_lr 3e-3` or `--train.peak_lr=3e-3` for every declared option; UserError with the
/// nearest name otherwise, the command's own flags (`own`, without dashes) among them.
template <class Config>
void apply_config_flags(Config& config, const std::vector<std::string>& flags,
                        const std::vector<std::string>& own) {
  Options options;
  config.declare(options);
  std::vector<std::string> keys = own;
  for (const auto& option : options.all()) keys.push_back(option->key());
  for (size_t i = 0; i < flags.size(); ++i) {
    const std::string& flag = flags[i];
    if (flag.rfind("--", 0) != 0)
      throw UserError("unexpected argument '" + flag + "'", "options begin with --");
    const size_t equals = flag.find('=');
    const std::string key = flag.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (std::find(keys.begin(), keys.end(), options.current_name(key)) == keys.end()) {
      const std::string near = nearest_name(key, keys);
      throw UserError("unknown option --" + key,
                      near.empty() ? "docs/options.md lists them" : "did you mean --" + near + "?");
    }
    if (equals != std::string::npos) {
      options.set(key, flag.substr(equals + 1), flag);
    } else {
      if (i + 1 == flags.size())
        throw UserError("'" + flag + "' lacks its value", "write " + flag + " VALUE");
      options.set(key, flags[i + 1], flag);
      ++i;
    }
  }
}

}  // namespace scion
