// How steady optimisation is: what runs measured of their gradients and of the weights' path.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "scion/study/analysis/run_design.h"

namespace scion {

/// Columns over updates; NaN where a run did not measure.
struct MeasuredUpdates {
  std::vector<double> updates, epochs;
  std::vector<double> norm;                ///< of the gradient, before clipping
  std::vector<double> change;              ///< of the norm's logarithm since the update before
  std::vector<double> cosine;              ///< between successive gradients
  std::vector<double> path, displacement;  ///< of the weights, since the start
  void add(double update, double epoch, double norm);
};

/// Over updates up to an epoch; NaN where a run did not measure.
struct Steadiness {
  double level = 0;   ///< mean natural logarithm of the norm
  double spread = 0;  ///< standard deviation of that logarithm
  double change = 0;  ///< mean |change| of that logarithm from update to update
  double cosine = 0;  ///< mean between successive gradients
  double detour = 0;  ///< path ÷ displacement, at the last update: 1 is straight
};

Steadiness steadiness(const MeasuredUpdates& updates, double last_epoch);

/// What is known of one run.
struct MeasuredRun {
  std::string budget, arm;
  RunKey run;
  MeasuredUpdates whole;                        ///< of all parameters
  std::map<std::string, Steadiness> early;      ///< in the first epoch, by part of the network
  std::map<std::string, Steadiness> all;        ///< over the whole run
  std::vector<std::pair<double, double>> line;  ///< loss along the line: (share, loss)
};

/// From updates.jsonl, and measures.jsonl and loss_line.json where the run has them. The key stays
/// empty.
MeasuredRun read_measured_run(const std::filesystem::path& directory);

/// One arm over updates: the mean over runs, the least and the greatest run.
struct MeasureCurve {
  std::string budget, arm;
  std::vector<double> x, mean, low, high;
};

enum class PathMeasure { norm, cosine, detour };

/// One curve for every (budget, arm), in order of first appearance. Updates are joined in bins so
/// that at most `points` remain, each placed at its middle; norms are averaged as logarithms. What
/// is not finite (or, of norms, not positive) is left out; so are arms without any.
std::vector<MeasureCurve> measure_curves(const std::vector<MeasuredRun>& runs, PathMeasure measure,
                                         int64_t points = 200);

/// The loss along the line from start to end, by arm.
std::vector<MeasureCurve> line_curves(const std::vector<MeasuredRun>& runs);

/// A number of every run of an arm that has it.
std::map<RunKey, double> values_of(const std::vector<MeasuredRun>& runs, const std::string& budget,
                                   const std::string& arm,
                                   const std::function<double(const MeasuredRun&)>& value);

}  // namespace scion
