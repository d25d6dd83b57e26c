// Speed-up: how much earlier an arm reaches the baseline's error rate, and vice versa.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scion/study/analysis/curves.h"

namespace scion {

/// A figure is exact or only a bound of the true value.
enum class Bound { exact, at_least, at_most };

struct Crossing {
  double position = 0;
  Bound bound = Bound::exact;
};

/// The position at which a learning curve reaches a word error rate: the first crossing, linearly
/// interpolated between evaluations, after which the curve is at or below the target for two
/// evaluations.
/// - at_least: only the last evaluation is at or below the target (unconfirmed), or none is (the
///   position is then that of the last evaluation).
/// - at_most: the first evaluation is already at or below the target.
/// The curve must have points.
Crossing find_crossing(const Curve& curve, double wer, Scale scale);

/// A ratio of positions, > 1 where the arm is faster.
struct Ratio {
  double value = 0;
  Bound bound = Bound::exact;
};

/// An arm at one of its evaluations, compared with the baseline.
struct SpeedUp {
  double epoch = 0;
  double wer = 0;                            ///< of the arm, mean over seeds
  std::optional<double> relative_reduction;  ///< of WER at the same epoch; 0.4: 40 % less
  std::optional<Ratio> epochs, training_time, compute;
  /// Number of students after which faster training has recovered the arm's compute before training
  /// (its teacher's); infinite if training is not faster. Absent without times or without such
  /// compute.
  std::optional<Ratio> students_to_pay_back;
};

/// One entry for every evaluation of the arm after the start of training.
std::vector<SpeedUp> speed_up(const Curve& arm, const Curve& baseline);

/// The baseline's last position divided by the position at which the arm reaches the baseline's
/// last error rate. Absent if either curve lacks the scale.
std::optional<Ratio> speed_up_to_end(const Curve& arm, const Curve& baseline, Scale scale);

/// Students until a teacher has paid off: extra seconds / (baseline's seconds − arm's seconds to
/// the same word error rate). Infinite if nothing is saved.
double students_to_pay_back(double extra_seconds, double baseline_seconds, double arm_seconds);

}  // namespace scion
