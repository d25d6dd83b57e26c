// Whether arms differ: paired differences of word error rate with confidence intervals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scion/scoring/bootstrap.h"
#include "scion/study/results.h"

namespace scion {

/// Two arms at one evaluation. Declare the primary one before looking at results.
struct Comparison {
  std::string schedule, set;
  std::string first, second;    ///< arms; the difference is second − first
  std::optional<double> epoch;  ///< the last one that both arms have, when not given
};

struct BootstrapOptions {
  double confidence = 0.95;
  int64_t draws = 10000;
  uint64_t seed = 1;
};

struct ArmDifference {
  Comparison comparison;                 ///< with its epoch
  double first_wer = 0, second_wer = 0;  ///< pooled over units, mean over seeds, percent
  Difference difference;                 ///< percentage points; p not adjusted
  double adjusted_p = 1;  ///< Holm's among the secondary comparisons; of the primary: p
  int64_t first_seeds = 0, second_seeds = 0;
  bool paired_seeds = false;
  int64_t units = 0;
  bool by_speaker = false;  ///< units are speakers, otherwise utterances

  /// (second − first) / first.
  double relative() const { return (second_wer - first_wer) / first_wer; }
};

struct Differences {
  BootstrapOptions options;
  std::optional<ArmDifference> primary;
  std::vector<ArmDifference> secondary;
};

/// Compares two arms by drawing seeds, then speakers (utterances where a speaker is not known),
/// with replacement. Seeds are paired where the arms have seeds in common; others are then left
/// out. UserErrors: an arm without results there, rows without per-utterance errors, arms scored
/// on different utterances.
ArmDifference compare_arms(const std::vector<ResultRow>& rows, const Comparison& comparison,
                           const BootstrapOptions& options = {});

/// The primary comparison by itself, Holm's adjustment among the others.
Differences compare_arms(const std::vector<ResultRow>& rows, const Comparison& primary,
                         const std::vector<Comparison>& secondary,
                         const BootstrapOptions& options = {});

}  // namespace scion
