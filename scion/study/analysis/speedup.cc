#include "scion/study/analysis/speedup.h"

#include <cmath>
#include <limits>

#include "scion/core/error.h"

namespace scion {
namespace {

double interpolate(const CurvePoint& before, const CurvePoint& after, double wer, Scale scale) {
  const double start = position(before, scale), end = position(after, scale);
  if (!std::isfinite(before.wer)) return end;
  return start + (end - start) * (before.wer - wer) / (before.wer - after.wer);
}

std::optional<Ratio> ratio(const CurvePoint& arm, const Curve& baseline, Scale scale) {
  const double of_arm = position(arm, scale);
  if (of_arm <= 0 || !has_scale(baseline, scale)) return {};
  const Crossing crossing = find_crossing(baseline, arm.wer, scale);
  return Ratio{crossing.position / of_arm, crossing.bound};
}

// The bound of a quotient whose denominator is bounded.
Bound reversed(Bound bound) {
  if (bound == Bound::exact) return bound;
  return bound == Bound::at_least ? Bound::at_most : Bound::at_least;
}

std::optional<Ratio> pay_back(const CurvePoint& arm, const Curve& baseline) {
  const double extra = arm.compute_seconds - arm.training_seconds;
  if (extra <= 0 || arm.training_seconds <= 0 || !has_scale(baseline, Scale::training_time))
    return {};
  const Crossing crossing = find_crossing(baseline, arm.wer, Scale::training_time);
  const double students = students_to_pay_back(extra, crossing.position, arm.training_seconds);
  // Savings of at least zero determine nothing; savings of at most zero mean never.
  if (std::isinf(students) && crossing.bound == Bound::at_least) return {};
  return Ratio{students, std::isinf(students) ? Bound::exact : reversed(crossing.bound)};
}

}  // namespace

Crossing find_crossing(const Curve& curve, double wer, Scale scale) {
  if (curve.points.empty())
    throw UserError("the curve of '" + curve.arm + "' on '" + curve.set + "' has no evaluations");
  const std::vector<CurvePoint>& points = curve.points;
  const auto below = [&](size_t i) { return points[i].wer <= wer; };
  for (size_t i = 0; i < points.size(); ++i) {
    if (!below(i)) continue;
    const bool last = i + 1 == points.size();
    if (!last && !below(i + 1)) continue;
    const double crossed =
        i == 0 ? position(points[0], scale) : interpolate(points[i - 1], points[i], wer, scale);
    if (i == 0) return {crossed, last ? Bound::exact : Bound::at_most};
    return {crossed, last ? Bound::at_least : Bound::exact};
  }
  return {position(points.back(), scale), Bound::at_least};
}

std::optional<Ratio> speed_up_to_end(const Curve& arm, const Curve& baseline, Scale scale) {
  if (!has_scale(arm, scale) || !has_scale(baseline, scale)) return {};
  const CurvePoint& end = baseline.points.back();
  const Crossing crossing = find_crossing(arm, end.wer, scale);
  if (crossing.position <= 0) return {};
  return Ratio{position(end, scale) / crossing.position, reversed(crossing.bound)};
}

double students_to_pay_back(double extra_seconds, double baseline_seconds, double arm_seconds) {
  const double saved = baseline_seconds - arm_seconds;
  return saved > 0 ? extra_seconds / saved : std::numeric_limits<double>::infinity();
}

std::vector<SpeedUp> speed_up(const Curve& arm, const Curve& baseline) {
  std::vector<SpeedUp> result;
  if (baseline.points.empty()) return result;
  for (const CurvePoint& point : arm.points) {
    if (point.epoch <= 0) continue;
    SpeedUp entry;
    entry.epoch = point.epoch;
    entry.wer = point.wer;
    if (const CurvePoint* same = find_point(baseline, point.epoch); same && same->wer > 0)
      entry.relative_reduction = 1 - point.wer / same->wer;
    entry.epochs = ratio(point, baseline, Scale::epochs);
    entry.training_time = ratio(point, baseline, Scale::training_time);
    entry.compute = ratio(point, baseline, Scale::compute);
    entry.students_to_pay_back = pay_back(point, baseline);
    result.push_back(entry);
  }
  return result;
}

}  // namespace scion
