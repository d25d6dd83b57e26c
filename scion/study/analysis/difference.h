// Whether arms differ: paired differences of word error rate with confidence intervals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scion/study/analysis/run_design.h"

namespace scion {

/// Two arms at one evaluation. Declare the primary one before looking at results.
struct Comparison {
  std::string schedule, set;
  std::string first, second;    ///< arms; the difference is second − first
  std::optional<double> epoch;  ///< the last one that both arms have, when not given
  std::string weights = "raw";  ///< raw, or averaged over the last epochs
  /// Where the first arm stands elsewhere: in another schedule, at another epoch. An epoch that is
  /// not given is then the last of the arm's own schedule.
  std::string first_schedule = {};
  std::optional<double> first_epoch = {};

  /// The schedule of the first arm: `schedule` where no other is named.
  const std::string& schedule_of_first() const {
    return first_schedule.empty() ? schedule : first_schedule;
  }
  bool crosses_schedules() const { return schedule_of_first() != schedule; }
  bool operator==(const Comparison&) const = default;
};

struct ArmDifference {
  Comparison comparison;                 ///< with its epoch
  double first_wer = 0, second_wer = 0;  ///< pooled over units, mean over runs, percent
  Difference difference;                 ///< percentage points; p not adjusted
  double adjusted_p = 1;  ///< Holm's among the secondary comparisons; of the primary: p
  int64_t first_runs = 0, second_runs = 0;
  int64_t seeds = 0;     ///< drawn; of both arms together where they have none in common
  int64_t teachers = 0;  ///< drawn; 0: none, 1: the interval is about this one teacher
  bool paired_seeds = false;
  bool paired_teachers = false;  ///< every seed has a teacher of its own: both are drawn as one
  int64_t units = 0;
  bool by_speaker = false;  ///< units are speakers, otherwise utterances

  /// (second − first) / first.
  double relative() const { return (second_wer - first_wer) / first_wer; }
};

struct Differences {
  BootstrapOptions options;
  std::optional<ArmDifference> primary;
  std::vector<ArmDifference> secondary;
  std::vector<ArmDifference> declared;  ///< by the recipe, one by one; a family of their own
};

/// Compares two arms by drawing, with replacement, what is random in them (bootstrap_difference):
///   seeds     paired where the arms have seeds in common; others are then left out;
///   teachers  of arms that were started from several, likewise. Every teacher meets every seed,
///   and
///             both are drawn; where each seed has a teacher of its own, the two are drawn as one;
///   units     speakers, or utterances where a speaker is not known.
/// So the interval is about the mean over seeds, over teachers trained alike, and over speakers
/// like these. With one teacher (or one seed) it is about that one alone, and says nothing of
/// another; never does it cover another corpus, model or recipe, or what was tuned on the same
/// speakers. UserErrors: an arm without results there, rows without per-utterance errors, arms
/// scored on different utterances, a teacher without one of the seeds.
ArmDifference compare_arms(const std::vector<ResultRow>& rows, const Comparison& comparison,
                           const BootstrapOptions& options = {});

/// Every comparison by itself, then Holm's adjustment of p among them.
std::vector<ArmDifference> compare_family(const std::vector<ResultRow>& rows,
                                          const std::vector<Comparison>& comparisons,
                                          const BootstrapOptions& options = {});

/// The primary comparison by itself, Holm's adjustment among the others.
Differences compare_arms(const std::vector<ResultRow>& rows, const Comparison& primary,
                         const std::vector<Comparison>& secondary,
                         const BootstrapOptions& options = {});

}  // namespace scion
