#include "scion/study/curves.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace scion {
namespace {

// By epoch the seeds that were evaluated there. Not by update: seeds differ in the number of
// batches that their epochs are cut into.
using Evaluations = std::map<double, std::map<int64_t, const ResultRow*>>;

CurvePoint point_of(const std::map<int64_t, const ResultRow*>& rows) {
  CurvePoint point;
  const double n = static_cast<double>(rows.size());
  for (const auto& [seed, row] : rows) {
    point.epoch = row->epoch;
    point.training_seconds += row->training_seconds / n;
    point.compute_seconds += row->compute_seconds / n;
    point.wer += row->wer / n;
    point.by_seed.push_back(row->wer);
  }
  const auto [low, high] = std::minmax_element(point.by_seed.begin(), point.by_seed.end());
  point.low = *low;
  point.high = *high;
  double squares = 0;
  for (const double wer : point.by_seed) squares += (wer - point.wer) * (wer - point.wer);
  if (n > 1) point.spread = std::sqrt(squares / (n - 1));
  return point;
}

void fill(Curve& curve, const Evaluations& evaluations) {
  size_t most = 0;
  for (const auto& [epoch, rows] : evaluations) most = std::max(most, rows.size());
  for (const auto& [epoch, rows] : evaluations) {
    if (rows.size() < most) continue;
    curve.points.push_back(point_of(rows));
    if (curve.seeds.empty())
      for (const auto& [seed, row] : rows) curve.seeds.push_back(seed);
  }
}

}  // namespace

std::vector<Curve> learning_curves(const std::vector<ResultRow>& rows) {
  std::vector<Curve> curves;
  std::vector<Evaluations> evaluations;
  std::map<std::tuple<std::string, std::string, std::string>, size_t> places;
  for (const ResultRow& row : rows) {
    const auto [entry, is_new] =
        places.emplace(std::tie(row.schedule, row.set, row.arm), curves.size());
    if (is_new) {
      curves.push_back({row.schedule, row.set, row.arm, {}, {}});
      evaluations.emplace_back();
    }
    evaluations[entry->second][row.epoch][row.seed] = &row;
  }
  for (size_t i = 0; i < curves.size(); ++i) fill(curves[i], evaluations[i]);
  return curves;
}

const Curve* find_curve(const std::vector<Curve>& curves, const std::string& schedule,
                        const std::string& set, const std::string& arm) {
  for (const Curve& curve : curves)
    if (curve.schedule == schedule && curve.set == set && curve.arm == arm) return &curve;
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
