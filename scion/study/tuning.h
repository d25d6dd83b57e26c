// Tuning: every arm and schedule tries the same grid, on dev only; the outcome is frozen in a file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scion/study/recipe/recipe.h"

namespace scion {

struct TuningTrial {
  std::string arm, schedule;
  double peak_lr = 0;
  double dev_wer = 0;  ///< %
};

struct Tuning {
  std::vector<TuningTrial> trials;

  /// The rate with the lowest dev WER; the lower rate of two that are equal.
  std::optional<double> best(const std::string& arm, const std::string& schedule) const;
  std::string to_json() const;
};

/// UserError when the file is broken.
Tuning read_tuning(const std::filesystem::path& path);

}  // namespace scion
