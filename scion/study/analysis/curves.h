// Learning curves: word error rate over the course of training, per arm.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scion/study/analysis/results.h"

namespace scion {

/// One evaluation of an arm, summarised over its runs (seeds, or teachers × seeds).
struct CurvePoint {
  double epoch = 0;
  double training_seconds = 0, compute_seconds = 0;  ///< means over runs
  double wer = 0;                                    ///< mean over runs, percent
  double spread = 0;                                 ///< sample standard deviation over runs
  double low = 0, high = 0;                          ///< minimum and maximum over runs
  std::vector<double> by_run;  ///< WER of each run, in ascending order of runs
};

/// Evaluations of one arm on one set in the order of training, with raw weights.
struct Curve {
  std::string budget, set, arm;
  std::vector<RunKey> runs;
  std::vector<CurvePoint> points;
  std::optional<CurvePoint> averaged;  ///< at the end, with the averaged weights
};

/// One curve for every (budget, set, arm), in order of first appearance. Evaluations that some
/// runs have not reached (in an unfinished study) are left out, so that every mean is over all
/// runs.
std::vector<Curve> learning_curves(const std::vector<ResultRow>& rows);

/// nullptr if there is none.
const Curve* find_curve(const std::vector<Curve>& curves, const std::string& budget,
                        const std::string& set, const std::string& arm);
/// The point at an epoch (within 1e-6), nullptr if there is none.
const CurvePoint* find_point(const Curve& curve, double epoch);

/// The horizontal axis of a curve.
enum class Scale { epochs, training_time, compute };
double position(const CurvePoint& point, Scale scale);
/// True if the curve has values on that axis: tables may lack times.
bool has_scale(const Curve& curve, Scale scale);

}  // namespace scion
