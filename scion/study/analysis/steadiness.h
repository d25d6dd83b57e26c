// Steadiness of optimisation, from the runs' measurements of gradients and of the weights' path.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "scion/study/analysis/run_design.h"

namespace scion {

/// Columns over updates; NaN if not measured.
struct MeasuredUpdates {
  std::vector<double> updates, epochs;
  std::vector<double> norm;                ///< gradient norm before clipping
  std::vector<double> change;              ///< of the norm's logarithm since the previous update
  std::vector<double> cosine;              ///< between successive gradients
  std::vector<double> path, displacement;  ///< of the weights, since the start
  void add(double update, double epoch, double norm);
};

/// Summary over the updates up to an epoch; NaN if not measured.
struct Steadiness {
  double level = 0;   ///< mean natural logarithm of the norm
  double spread = 0;  ///< standard deviation of that logarithm
  double change = 0;  ///< mean |change| of that logarithm from update to update
  double cosine = 0;  ///< mean between successive gradients
  double detour = 0;  ///< path ÷ displacement, at the last update: 1 is straight
};

Steadiness steadiness(const MeasuredUpdates& updates, double last_epoch);

/// The measurements of one run.
struct MeasuredRun {
  std::string budget, arm;
  RunKey run;
  MeasuredUpdates whole;                        ///< all parameters together
  std::map<std::string, Steadiness> early;      ///< in the first epoch, by part of the network
  std::map<std::string, Steadiness> all;        ///< over the whole run
  std::vector<std::pair<double, double>> line;  ///< loss along the line: (share, loss)
};

/// Reads updates.jsonl and, if the run has them, measures.jsonl and loss_line.json. Budget, arm and
/// run are left empty.
MeasuredRun read_measured_run(const std::filesystem::path& directory);

/// One arm over updates: mean, minimum and maximum over its runs.
struct MeasureCurve {
  std::string budget, arm;
  std::vector<double> x, mean, low, high;
};

enum class PathMeasure { norm, cosine, detour };

/// One curve for every (budget, arm), in order of first appearance. Updates are binned into at most
/// `points` bins, each at its middle; norms are averaged as logarithms. Values that are not finite
/// (norms: not positive) are omitted, and so are arms without values.
std::vector<MeasureCurve> measure_curves(const std::vector<MeasuredRun>& runs, PathMeasure measure,
                                         int64_t points = 200);

/// The loss along the line from the first to the final weights, per arm.
std::vector<MeasureCurve> line_curves(const std::vector<MeasuredRun>& runs);

/// A number for every run of an arm for which it is finite.
std::map<RunKey, double> values_of(const std::vector<MeasuredRun>& runs, const std::string& budget,
                                   const std::string& arm,
                                   const std::function<double(const MeasuredRun&)>& value);

}  // namespace scion
