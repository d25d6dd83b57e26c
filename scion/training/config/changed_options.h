// Options in which two configurations of a run differ.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scion/training/config/run_config.h"

namespace scion {

struct OptionChange {
  std::string key, before, now;  ///< values as JSON
  bool learnt = true;            ///< whether the option changes what the run learns

  /// "train.peak_lr is 0.002, was 0.004"
  std::string text() const;
};

/// Values of path options are not compared where both name something: content decides
/// (run_inputs.h). More epochs change nothing where no rate depends on their number.
std::vector<OptionChange> changed_options(RunConfig before, RunConfig now);

/// The configuration in a file that to_toml() wrote. Options that it lacks, because an older
/// program wrote it, have their defaults; relative paths are relative to the working directory.
RunConfig read_written_config(const std::filesystem::path& path);

}  // namespace scion
