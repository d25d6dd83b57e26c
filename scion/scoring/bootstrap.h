// Confidence intervals by resampling (Bisani & Ney, 2004): utterances, speakers, or seeds ×
// speakers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scion/scoring/alignment.h"

namespace scion {

struct Interval {
  double low = 0, high = 0;
};

/// Percentile interval of the pooled error rate when units (utterances or speakers, each with its
/// summed counts) are drawn with replacement.
Interval bootstrap_rate(const std::vector<ErrorCounts>& units, double confidence = 0.95,
                        int64_t draws = 10000, uint64_t seed = 1);

/// errors[seed][unit] of two systems on the same units; word counts per unit.
struct PairedErrors {
  std::vector<std::vector<double>> first, second;  ///< [seed][unit] errors
  std::vector<double> words;                       ///< [unit]
};

struct Difference {
  double mean = 0;  ///< rate(second) − rate(first), mean over seeds
  Interval interval;
  double p_value = 1;  ///< two-sided, from the bootstrap distribution
};

/// Hierarchical bootstrap: seeds are drawn with replacement (the pairing by seed is kept where
/// both have the same seeds), then units; both systems see the same draw.
Difference bootstrap_difference(const PairedErrors& errors, double confidence = 0.95,
                                int64_t draws = 10000, uint64_t seed = 1);

/// Holm's step-down adjustment of p-values, in the order given.
std::vector<double> holm(const std::vector<double>& p_values);

}  // namespace scion
