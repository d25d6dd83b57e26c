// Tuning of the learning rate: the same grid for every arm and budget, on dev only, frozen in a
// file.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scion/study/recipe/recipe.h"

namespace scion {

struct TuningTrial {
  std::string arm, budget;
  double peak_lr = 0;
  double dev_wer = 0;  ///< %
};

struct Tuning {
  std::vector<TuningTrial> trials;

  /// The rate with the lowest dev WER; on ties the lower rate.
  std::optional<double> best(const std::string& arm, const std::string& budget) const;
  std::string to_json() const;
};

/// UserError if the file is broken. Files of older programs name the budget "schedule".
Tuning read_tuning(const std::filesystem::path& path);

}  // namespace scion
