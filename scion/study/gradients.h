// How large gradients are in the course of training, and how steady.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scion/study/results.h"

namespace scion {

/// The norm of the whole gradient before clipping, at one update.
struct GradientNorm {
  std::string schedule, arm;
  RunKey run;
  int64_t update = 0;
  double norm = 0;
};

/// Norms of one arm over updates: geometric means over runs, the least and the greatest run.
struct GradientCurve {
  std::string schedule, arm;
  std::vector<double> updates, mean, low, high;
};

/// One curve for every (schedule, arm), in order of first appearance. Updates are joined in bins so
/// that at most `points` remain; a bin is placed at its middle. Norms that are not positive and
/// finite are left out.
std::vector<GradientCurve> gradient_curves(const std::vector<GradientNorm>& norms,
                                           int64_t points = 200);

/// How steady the norms of one arm are, means over runs.
struct GradientStability {
  std::string schedule, arm;
  double level = 0;   ///< geometric mean of the norm
  double spread = 0;  ///< standard deviation of its natural logarithm
  double change = 0;  ///< mean |change| of its natural logarithm from one record to the next
  int64_t runs = 0;
};

/// Of the records up to and including `last_update`; arms with fewer than two are left out.
std::vector<GradientStability> gradient_stability(const std::vector<GradientNorm>& norms,
                                                  int64_t last_update);

}  // namespace scion
