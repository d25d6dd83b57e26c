// Confidence intervals by resampling (Bisani & Ney, 2004): utterances, speakers, or several random
// factors at once (teachers × seeds × speakers).
#pragma once

#include <cstddef>
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

/// This run has no level of the factor.
constexpr size_t no_level = static_cast<size_t>(-1);

/// Errors of one run of a system, and its levels of the other random factors: its seed, its
/// teacher.
struct RunErrors {
  std::vector<double> errors;  ///< [unit]
  std::vector<size_t> levels;  ///< [factor] the run's level, or no_level
};

/// Runs of two systems on the same units. Runs at the same level of a factor, of either system, are
/// drawn together, so that seeds which both have are paired.
struct PairedErrors {
  std::vector<RunErrors> first, second;
  std::vector<double> words;    ///< [unit]
  std::vector<size_t> factors;  ///< number of levels of each
};

struct Difference {
  double mean = 0;  ///< rate(second) − rate(first), each the mean over its runs
  Interval interval;
  double p_value = 1;  ///< two-sided, from the bootstrap distribution
};

/// Bootstrap of crossed random factors ("pigeonhole", Owen, 2007): every draw takes levels of each
/// factor and units, all with replacement and independently of each other, and weighs a run by how
/// often its levels were drawn; both systems get the same draw. As many units are drawn as there
/// are. Of a factor's n levels n − 1 are drawn, so that its share of the variance is unbiased
/// although n is small (McCarthy & Snowden, 1985); a factor of one level is fixed, and the interval
/// says nothing about other levels. Interactions of factors count more than once, so intervals
/// tend to be too wide rather than too narrow, but percentiles of very few levels (2 or 3) are only
/// a rough guide. A system's runs must be all combinations of its factors' levels.
Difference bootstrap_difference(const PairedErrors& errors, double confidence = 0.95,
                                int64_t draws = 10000, uint64_t seed = 1);

/// Holm's step-down adjustment of p-values, in the order given.
std::vector<double> holm(const std::vector<double>& p_values);

}  // namespace scion
