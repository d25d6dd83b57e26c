// Learning curves: word error rate over the course of training, by arm.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scion/study/analysis/results.h"

namespace scion {

/// What happened to all runs of an arm (seeds, or teachers × seeds) at one evaluation.
struct CurvePoint {
  double epoch = 0;
  double training_seconds = 0, compute_seconds = 0;  ///< means over runs
  double wer = 0;                                    ///< mean over runs, percent
  double spread = 0;                                 ///< sample standard deviation over runs
  double low = 0, high = 0;                          ///< least and greatest over runs
  std::vector<double> by_run;                        ///< in ascending order of runs
};

/// Evaluations of one arm on one set in the order of training, with the weights of the last update.
struct Curve {
  std::string schedule, set, arm;
  std::vector<RunKey> runs;
  std::vector<CurvePoint> points;
  std::optional<CurvePoint> averaged;  ///< at the end, with the average of the last epochs' weights
};

/// One curve for every (schedule, set, arm), in order of first appearance. Evaluations that some
/// runs have not reached (a study under way) are left out, so that every mean is over all runs.
std::vector<Curve> learning_curves(const std::vector<ResultRow>& rows);

/// nullptr when there is none.
const Curve* find_curve(const std::vector<Curve>& curves, const std::string& schedule,
                        const std::string& set, const std::string& arm);
/// The point at an epoch (to 1e-6), nullptr when there is none.
const CurvePoint* find_point(const Curve& curve, double epoch);

/// What a curve is read against.
enum class Scale { epochs, training_time, compute };
double position(const CurvePoint& point, Scale scale);
/// Whether the curve says anything on the scale: tables may lack times.
bool has_scale(const Curve& curve, Scale scale);

}  // namespace scion
