#include "scion/study/report/section_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace scion {

std::vector<double> shown_epochs(const StudyReport& report,
                                 const std::vector<const Curve*>& curves) {
  constexpr size_t most_epochs = 8;
  std::set<double> present;
  for (const Curve* curve : curves)
    for (const CurvePoint& point : curve->points)
      if (point.epoch > 0) present.insert(point.epoch);
  const std::vector<double> all(present.begin(), present.end());
  std::vector<double> shown;
  if (!report.epochs.empty()) {
    for (const double epoch : report.epochs)
      for (const double candidate : all)
        if (std::abs(candidate - epoch) < 1e-6) shown.push_back(candidate);
  }
  if (!shown.empty() || all.size() <= most_epochs) return shown.empty() ? all : shown;
  for (size_t i = 0; i < most_epochs; ++i) {
    const double share = static_cast<double>(i) / (most_epochs - 1);
    const double rank = std::round(std::pow(static_cast<double>(all.size()), share));
    add_new(shown, all[static_cast<size_t>(rank) - 1]);
  }
  return shown;
}

std::vector<std::string> epoch_columns(std::vector<std::string> columns,
                                       const std::vector<double>& epochs) {
  for (const double epoch : epochs) columns.push_back(fmt::format("{:g}", epoch));
  return columns;
}

std::string arm_text(const ReportContext& context, const std::string& budget,
                     const std::string& arm) {
  const std::string label = context.label(arm);
  return context.budgets().size() > 1 && !budget.empty() ? label + ", " + budget : label;
}

bool needs_log_axis(const std::vector<const Curve*>& curves) {
  double low = HUGE_VAL, high = 0;
  for (const Curve* curve : curves)
    for (const CurvePoint& point : curve->points) {
      if (!std::isfinite(point.wer)) continue;
      low = std::min(low, point.low);
      high = std::max(high, point.high);
    }
  return low > 0 && high > 2 * low;
}

Series curve_series(const Curve& curve, Scale scale, double unit, std::string name, size_t colour,
                    bool dashed) {
  Series series{std::move(name), colour, {}, {}, {}, {}, dashed};
  for (const CurvePoint& point : curve.points) {
    series.x.push_back(position(point, scale) / unit);
    series.y.push_back(point.wer);
    if (point.by_run.size() < 2) continue;
    series.low.push_back(point.low);
    series.high.push_back(point.high);
  }
  return series;
}

}  // namespace scion
