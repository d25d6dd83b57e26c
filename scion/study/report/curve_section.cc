// Learning curves, as charts.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/chart_lines.h"
#include "scion/study/report/section_parts.h"
#include "scion/study/report/sections.h"

namespace scion {
namespace {

struct TimeUnit {
  double seconds;
  const char* name;
};

TimeUnit time_unit(double seconds) {
  if (seconds < 300) return {1, "seconds"};
  return seconds < 3 * 3600 ? TimeUnit{60, "minutes"} : TimeUnit{3600, "hours"};
}

using ShownCurves = std::vector<std::pair<ChartLine, const Curve*>>;

Chart curve_chart(const ReportContext& context, const ShownCurves& shown, Scale scale,
                  const std::string& title) {
  std::vector<const Curve*> curves;
  for (const auto& [line, curve] : shown) curves.push_back(curve);
  TimeUnit unit{1, "epochs"};
  if (scale != Scale::epochs) {
    double last = 0;
    for (const Curve* curve : curves) last = std::max(last, position(curve->points.back(), scale));
    unit = time_unit(last);
  }
  Chart chart{title,
              fmt::format("{}{}", scale == Scale::epochs ? "" : "training time, ", unit.name),
              "WER, %",
              {},
              needs_log_axis(curves),
              context.decimals()};
  // The report's baseline comes first, so that it lies below the others.
  for (const bool baseline : {true, false})
    for (const auto& [line, curve] : shown)
      if ((line.arm == context.report().baseline) == baseline)
        chart.series.push_back(curve_series(*curve, scale, unit.seconds, context.label(line.arm),
                                            line.colour, line.dashed));
  return chart;
}

}  // namespace

Section curve_section(const ReportContext& context) {
  Section section{"curves", "Learning curves", "", {}, {}};
  bool has_bands = false, has_logarithm = false;
  for (const ReportContext::SetCurves& here : context.set_curves())
    for (const ChartLines& chart : chart_lines(context)) {
      ShownCurves shown;
      bool shows_own_arms = !context.has_many_arms(), timed = true;
      for (const ChartLine& line : chart.lines) {
        const Curve* curve = here.curve(line.arm);
        if (curve == nullptr) continue;
        shown.emplace_back(line, curve);
        shows_own_arms |= line.arm != context.report().baseline && line.arm != context.primary();
        timed = timed && has_scale(*curve, Scale::training_time);
        has_bands |= curve->runs.size() > 1;
      }
      if (!shows_own_arms || shown.empty()) continue;
      const std::string name = context.set_text(here.budget, here.set) +
                               (chart.factor.empty() ? "" : ", " + chart.factor);
      section.charts.push_back(curve_chart(context, shown, Scale::epochs, name + ", by epochs"));
      if (timed && !context.has_many_arms())
        section.charts.push_back(
            curve_chart(context, shown, Scale::training_time, name + ", by training time"));
      has_logarithm |= section.charts.back().log_y;
    }
  section.text = has_bands ? "Lines are means over runs; bands span the best to the worst run. "
                           : "One run per arm. ";
  if (context.has_many_arms())
    section.text +=
        "Each chart shows arms of one factor with the baseline and the primary arm; an arm's own "
        "baseline is dashed, in the colour of the arm. ";
  if (has_logarithm) section.text += "Error rates are on a logarithmic scale.";
  return section;
}

}  // namespace scion
