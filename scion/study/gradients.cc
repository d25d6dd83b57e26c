#include "scion/study/gradients.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace scion {
namespace {

using Logarithms = std::map<int64_t, double>;  // by update

struct ArmNorms {
  std::string schedule, arm;
  std::map<RunKey, Logarithms> runs;
};

std::vector<ArmNorms> by_arm(const std::vector<GradientNorm>& norms, int64_t last_update) {
  std::vector<ArmNorms> arms;
  for (const GradientNorm& record : norms) {
    if (record.update > last_update || !std::isfinite(record.norm) || record.norm <= 0) continue;
    auto arm = std::find_if(arms.begin(), arms.end(), [&](const ArmNorms& a) {
      return a.schedule == record.schedule && a.arm == record.arm;
    });
    if (arm == arms.end()) arm = arms.insert(arm, {record.schedule, record.arm, {}});
    arm->runs[record.run][record.update] = std::log(record.norm);
  }
  return arms;
}

// The mean logarithm in every bin of `width` updates.
std::map<int64_t, double> bin(const Logarithms& norms, int64_t width) {
  std::map<int64_t, std::pair<double, int64_t>> sums;
  for (const auto& [update, logarithm] : norms) {
    auto& [sum, count] = sums[update / width];
    sum += logarithm;
    ++count;
  }
  std::map<int64_t, double> means;
  for (const auto& [place, sum] : sums) means[place] = sum.first / static_cast<double>(sum.second);
  return means;
}

GradientCurve curve_of(const ArmNorms& arm, int64_t width) {
  std::map<int64_t, std::vector<double>> bins;
  for (const auto& [run, norms] : arm.runs)
    for (const auto& [place, mean] : bin(norms, width)) bins[place].push_back(mean);
  GradientCurve curve{arm.schedule, arm.arm, {}, {}, {}, {}};
  for (const auto& [place, means] : bins) {
    double sum = 0;
    for (const double mean : means) sum += mean;
    const auto [low, high] = std::minmax_element(means.begin(), means.end());
    curve.updates.push_back(static_cast<double>(place * width) +
                            static_cast<double>(width - 1) / 2);
    curve.mean.push_back(std::exp(sum / static_cast<double>(means.size())));
    curve.low.push_back(std::exp(*low));
    curve.high.push_back(std::exp(*high));
  }
  return curve;
}

struct Steadiness {
  double mean = 0, spread = 0, change = 0;
};

Steadiness steadiness(const Logarithms& norms) {
  Steadiness result;
  const double n = static_cast<double>(norms.size());
  for (const auto& entry : norms) result.mean += entry.second / n;
  const double* previous = nullptr;
  for (const auto& [update, logarithm] : norms) {
    result.spread += (logarithm - result.mean) * (logarithm - result.mean) / (n - 1);
    if (previous) result.change += std::abs(logarithm - *previous) / (n - 1);
    previous = &logarithm;
  }
  result.spread = std::sqrt(result.spread);
  return result;
}

}  // namespace

std::vector<GradientCurve> gradient_curves(const std::vector<GradientNorm>& norms, int64_t points) {
  int64_t last = 0;
  for (const GradientNorm& record : norms) last = std::max(last, record.update);
  const int64_t width = last / points + 1;
  std::vector<GradientCurve> curves;
  for (const ArmNorms& arm : by_arm(norms, last)) curves.push_back(curve_of(arm, width));
  return curves;
}

std::vector<GradientStability> gradient_stability(const std::vector<GradientNorm>& norms,
                                                  int64_t last_update) {
  std::vector<GradientStability> result;
  for (const ArmNorms& arm : by_arm(norms, last_update)) {
    GradientStability entry{arm.schedule, arm.arm, 0, 0, 0, 0};
    double level = 0;
    for (const auto& [run, logarithms] : arm.runs) {
      if (logarithms.size() < 2) continue;
      const Steadiness one = steadiness(logarithms);
      level += one.mean;
      entry.spread += one.spread;
      entry.change += one.change;
      ++entry.runs;
    }
    if (entry.runs == 0) continue;
    const double n = static_cast<double>(entry.runs);
    entry.level = std::exp(level / n);
    entry.spread /= n;
    entry.change /= n;
    result.push_back(entry);
  }
  return result;
}

}  // namespace scion
