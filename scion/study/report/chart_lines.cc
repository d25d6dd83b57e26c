#include "scion/study/report/chart_lines.h"

#include <algorithm>

namespace scion {
namespace {

// 0 for the report's baseline, the other arms from 1.
size_t arm_colour(const ReportContext& context, const std::string& arm) {
  const std::string& baseline = context.report().baseline;
  size_t colour = 1;
  for (const std::string& other : context.arms()) {
    if (other == arm) return arm == baseline ? 0 : colour;
    if (other != baseline) ++colour;
  }
  return colour;
}

// A chart of some arms of a factor, with the report's baseline and the primary arm.
ChartLines lines_of(const ReportContext& context, const std::string& factor,
                    const std::vector<std::string>& arms) {
  ChartLines chart{factor, {}};
  size_t colour = 0;
  const std::string& baseline = context.report().baseline;
  if (std::find(context.arms().begin(), context.arms().end(), baseline) != context.arms().end())
    chart.lines.push_back({baseline, 0});
  if (!context.primary().empty()) chart.lines.push_back({context.primary(), ++colour});
  const auto is_shown = [&](const std::string& arm) {
    return std::any_of(chart.lines.begin(), chart.lines.end(),
                       [&](const ChartLine& line) { return line.arm == arm; });
  };
  for (const std::string& arm : arms) {
    if (is_shown(arm)) continue;
    chart.lines.push_back({arm, ++colour});
    if (const std::string& own = context.baseline_of(arm); !is_shown(own))
      chart.lines.push_back({own, colour, true});
  }
  return chart;
}

// Charts of the arms of one factor, with at most `most_lines` lines besides the report's baseline
// and the primary arm.
void add_charts_of(const ReportContext& context, const ReportContext::Group& group,
                   std::vector<ChartLines>& charts) {
  constexpr size_t most_lines = 6;
  std::vector<std::string> arms;
  size_t lines = 0;
  const auto flush = [&] {
    if (!arms.empty()) charts.push_back(lines_of(context, group.factor, arms));
    arms.clear();
    lines = 0;
  };
  for (const std::string& arm : group.arms) {
    if (arm == context.report().baseline || arm == context.primary()) continue;
    // The baseline of other arms is drawn with them.
    if (context.is_baseline(arm) && context.baseline_of(arm) == arm) continue;
    const size_t more = context.baseline_of(arm) == context.report().baseline ? 1 : 2;
    if (lines + more > most_lines) flush();
    arms.push_back(arm);
    lines += more;
  }
  flush();
}

}  // namespace

std::vector<ChartLines> chart_lines(const ReportContext& context) {
  if (!context.has_many_arms()) {
    ChartLines all;
    for (const std::string& arm : context.arms())
      all.lines.push_back({arm, arm_colour(context, arm)});
    return {all};
  }
  std::vector<ChartLines> charts;
  for (const ReportContext::Group& group : context.groups()) add_charts_of(context, group, charts);
  return charts;
}

}  // namespace scion
