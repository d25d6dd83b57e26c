// Flags that stand for options of a configuration file.
#pragma once

#include <string>
#include <vector>

#include "scion/core/error.h"
#include "scion/core/options.h"

namespace scion {

/// `--train.peak_lr 3e-3` or `--train.peak_lr=3e-3` for every declared option; UserError with the
/// nearest name otherwise.
template <class Config>
void apply_config_flags(Config& config, const std::vector<std::string>& flags) {
  Options options;
  config.declare(options);
  for (size_t i = 0; i < flags.size(); ++i) {
    const std::string& flag = flags[i];
    if (flag.rfind("--", 0) != 0)
      throw UserError("unexpected argument '" + flag + "'", "options begin with --");
    const size_t equals = flag.find('=');
    if (equals != std::string::npos) {
      options.set(flag.substr(2, equals - 2), flag.substr(equals + 1), flag);
    } else {
      if (i + 1 == flags.size())
        throw UserError("'" + flag + "' lacks its value", "write " + flag + " VALUE");
      options.set(flag.substr(2), flags[i + 1], flag);
      ++i;
    }
  }
}

}  // namespace scion
