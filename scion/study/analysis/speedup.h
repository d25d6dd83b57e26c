// How much sooner an arm is where the baseline gets later.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scion/study/analysis/curves.h"

namespace scion {

/// What a figure says: itself, or only that the truth is no less or no more.
enum class Bound { exact, at_least, at_most };

struct Crossing {
  double position = 0;
  Bound bound = Bound::exact;
};

/// Where a learning curve reaches a word error rate: the first place between two evaluations
/// (linear interpolation) from which it is at or below the target for two evaluations.
/// - A crossing that only the last evaluation shows is unconfirmed, a curve that never crosses ends
///   at its last evaluation: at_least.
/// - A curve that starts at or below the target: at_most its first evaluation.
/// The curve must have points.
Crossing find_crossing(const Curve& curve, double wer, Scale scale);

/// A ratio of positions, > 1 where the arm is faster.
struct Ratio {
  double value = 0;
  Bound bound = Bound::exact;
};

/// An arm at one of its evaluations against the baseline.
struct SpeedUp {
  double epoch = 0;
  double wer = 0;                            ///< of the arm, mean over seeds
  std::optional<double> relative_reduction;  ///< of WER at the same epoch, 0.4 for 40 % less
  std::optional<Ratio> epochs, training_time, compute;
  /// Students that have to be trained until the arm's extra compute before training (the
  /// teacher's) is earned back by faster training; infinite when training is not faster. Absent
  /// without times, or when the arm has no extra compute.
  std::optional<Ratio> students_to_pay_back;
};

/// One entry for every evaluation of the arm after the start of training.
std::vector<SpeedUp> speed_up(const Curve& arm, const Curve& baseline);

/// How much sooner the arm is where the baseline ends: the baseline's last position over the place
/// where the arm reaches the baseline's last error rate. Absent without such a scale.
std::optional<Ratio> speed_up_to_end(const Curve& arm, const Curve& baseline, Scale scale);

/// Students until a teacher pays: extra seconds / (baseline's seconds − arm's seconds to the same
/// word error rate). Infinite when nothing is saved.
double students_to_pay_back(double extra_seconds, double baseline_seconds, double arm_seconds);

}  // namespace scion
