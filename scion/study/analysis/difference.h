// Whether arms differ: paired differences of word error rate with confidence intervals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scion/study/analysis/results.h"
#include "scion/study/analysis/run_design.h"

namespace scion {

/// An arm and its baseline at one evaluation. Declare the primary one before looking at results.
struct Comparison {
  std::string budget, set;
  std::string baseline, arm;    ///< the difference is arm − baseline
  std::optional<double> epoch;  ///< of the arm; if absent, the last one that both arms have
  Weights weights = Weights::raw;
  /// Set when the baseline is taken from another budget or at another epoch. An absent epoch is
  /// then the last of its own budget, for the arm too.
  std::string baseline_budget = {};
  std::optional<double> baseline_epoch = {};

  /// The budget of the baseline: `budget` unless another is named.
  const std::string& budget_of_baseline() const {
    return baseline_budget.empty() ? budget : baseline_budget;
  }
  bool crosses_budgets() const { return budget_of_baseline() != budget; }
  bool operator==(const Comparison&) const = default;
};

struct ArmDifference {
  Comparison comparison;                 ///< with both epochs
  double baseline_wer = 0, arm_wer = 0;  ///< pooled over units, mean over runs, percent
  Difference difference;                 ///< percentage points; p not adjusted
  double adjusted_p = 1;  ///< by Holm among the secondary comparisons; p for the primary one
  int64_t baseline_runs = 0, arm_runs = 0;
  int64_t seeds = 0;     ///< drawn; both arms' together if they have none in common
  int64_t teachers = 0;  ///< drawn; 0: none, 1: the interval is conditional on this teacher
  bool paired_seeds = false;
  bool paired_teachers = false;  ///< each seed has its own teacher: the pair is drawn as one
  int64_t units = 0;
  bool by_speaker = false;  ///< units are speakers; otherwise utterances

  /// (arm − baseline) / baseline.
  double relative() const { return (arm_wer - baseline_wer) / baseline_wer; }
};

struct Differences {
  BootstrapOptions options;
  std::optional<ArmDifference> primary;
  std::vector<ArmDifference> secondary;
  std::vector<ArmDifference> declared;  ///< listed by the recipe; adjusted as a separate family
};

/// Compares two arms by a bootstrap over their random factors (bootstrap_difference):
///   seeds     paired if the arms have seeds in common; other seeds are then left out;
///   teachers  likewise, for arms started from several. If every teacher is combined with every
///             seed, both are drawn; if each seed has its own teacher, the pair is drawn as one;
///   units     speakers, or utterances if any speaker is unknown.
/// The interval covers the mean over seeds, over teachers trained alike, and over similar
/// speakers. With one teacher (or one seed) it is conditional on that one. It never covers another
/// corpus, model or recipe, nor choices that were tuned on the same speakers. UserErrors: an arm
/// without results there, rows without per-utterance errors, arms scored on different utterances,
/// a teacher without one of the seeds.
ArmDifference compare_arms(const std::vector<ResultRow>& rows, const Comparison& comparison,
                           const BootstrapOptions& options = {});

/// All comparisons, with p adjusted by Holm among them.
std::vector<ArmDifference> compare_family(const std::vector<ResultRow>& rows,
                                          const std::vector<Comparison>& comparisons,
                                          const BootstrapOptions& options = {});

/// The primary comparison, unadjusted, and the others with p adjusted by Holm among them.
Differences compare_arms(const std::vector<ResultRow>& rows, const Comparison& primary,
                         const std::vector<Comparison>& secondary,
                         const BootstrapOptions& options = {});

}  // namespace scion
