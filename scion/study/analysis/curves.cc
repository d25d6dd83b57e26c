#include "scion/study/analysis/curves.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace scion {
namespace {

using RowsByRun = std::map<RunKey, const ResultRow*>;

// The runs evaluated at each epoch. Epochs, not updates, are the key: seeds differ in the number of
// batches per epoch.
struct Evaluations {
  std::map<double, RowsByRun> raw, averaged;
};

CurvePoint point_of(const RowsByRun& rows) {
  CurvePoint point;
  const double n = static_cast<double>(rows.size());
  for (const auto& [run, row] : rows) {
    point.epoch = row->epoch;
    point.training_seconds += row->training_seconds / n;
    point.compute_seconds += row->compute_seconds / n;
    point.wer += row->wer / n;
    point.by_run.push_back(row->wer);
  }
  const auto [low, high] = std::minmax_element(point.by_run.begin(), point.by_run.end());
  point.low = *low;
  point.high = *high;
  double squares = 0;
  for (const double wer : point.by_run) squares += (wer - point.wer) * (wer - point.wer);
  if (n > 1) point.spread = std::sqrt(squares / (n - 1));
  return point;
}

void fill(Curve& curve, const Evaluations& evaluations) {
  size_t most = 0;
  for (const auto& [epoch, rows] : evaluations.raw) most = std::max(most, rows.size());
  for (const auto& [epoch, rows] : evaluations.raw) {
    if (rows.size() < most) continue;
    curve.points.push_back(point_of(rows));
    if (curve.runs.empty())
      for (const auto& [run, row] : rows) curve.runs.push_back(run);
  }
  for (const auto& [epoch, rows] : evaluations.averaged)
    if (rows.size() == most) curve.averaged = point_of(rows);
}

}  // namespace

std::vector<Curve> learning_curves(const std::vector<ResultRow>& rows) {
  std::vector<Curve> curves;
  std::vector<Evaluations> evaluations;
  std::map<std::tuple<std::string, std::string, std::string>, size_t> indices;
  for (const ResultRow& row : rows) {
    const auto [entry, is_new] =
        indices.emplace(std::tie(row.budget, row.set, row.arm), curves.size());
    if (is_new) {
      curves.push_back({row.budget, row.set, row.arm, {}, {}, {}});
      evaluations.emplace_back();
    }
    Evaluations& of_arm = evaluations[entry->second];
    (row.weights == Weights::averaged ? of_arm.averaged : of_arm.raw)[row.epoch][row.run()] = &row;
  }
  for (size_t i = 0; i < curves.size(); ++i) fill(curves[i], evaluations[i]);
  return curves;
}

const Curve* find_curve(const std::vector<Curve>& curves, const std::string& budget,
                        const std::string& set, const std::string& arm) {
  for (const Curve& curve : curves)
    if (curve.budget == budget && curve.set == set && curve.arm == arm) return &curve;
  return nullptr;
}

const CurvePoint* find_point(const Curve& curve, double epoch) {
  for (const CurvePoint& point : curve.points)
    if (std::abs(point.epoch - epoch) < 1e-6) return &point;
  return nullptr;
}

double position(const CurvePoint& point, Scale scale) {
  switch (scale) {
    case Scale::epochs:
      return point.epoch;
    case Scale::training_time:
      return point.training_seconds;
    case Scale::compute:
      return point.compute_seconds;
  }
  return 0;
}

bool has_scale(const Curve& curve, Scale scale) {
  return !curve.points.empty() && position(curve.points.back(), scale) > 0;
}

}  // namespace scion
