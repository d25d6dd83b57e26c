// Whether gradients are steadier, and paths straighter, from selected weights.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/section_parts.h"

namespace scion {
namespace {

// A measure of steadiness: how it is called, where it stands.
struct Measure {
  const char* name;
  double Steadiness::*value;
};

constexpr Measure steadiness_measures[] = {{"spread of log norm", &Steadiness::spread},
                                           {"change of log norm", &Steadiness::change},
                                           {"cosine", &Steadiness::cosine},
                                           {"path ÷ displacement", &Steadiness::detour}};

using Window = std::map<std::string, Steadiness> MeasuredRun::*;

std::map<RunKey, double> values(const ReportContext& context, const std::string& schedule,
                                const std::string& arm, const std::string& part, Window window,
                                double Steadiness::*value) {
  return values_of(context.report().optimisation, schedule, arm, [&](const MeasuredRun& run) {
    const auto found = (run.*window).find(part);
    return found == (run.*window).end() ? NAN : found->second.*value;
  });
}

std::string mean_text(const std::map<RunKey, double>& values, int decimals) {
  double sum = 0;
  for (const auto& [run, value] : values) sum += value;
  return values.empty() ? "–" : number_text(sum / static_cast<double>(values.size()), decimals);
}

// Columns in which no run measured anything.
void drop_unmeasured(Table& table) {
  for (size_t i = table.columns.size(); i-- > 1;) {
    const auto is_empty = [&](const std::vector<Cell>& row) {
      return row.size() == 1 || row[i].text == "–";
    };
    if (!std::all_of(table.rows.begin(), table.rows.end(), is_empty)) continue;
    table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(i));
    for (auto& row : table.rows)
      if (row.size() > 1) row.erase(row.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// Calls add(schedule, arm) for all that were run, schedule by schedule.
template <class Add>
void for_arms(const ReportContext& context, Table& table, Add add) {
  for (const std::string& schedule : context.schedules())
    add_by_factor(context, table, [&](const std::string& arm) { add(schedule, arm); });
}

Table steadiness_table(const ReportContext& context, const std::string& title, Window window) {
  Table table{title, {"arm", "mean norm"}, {}};
  for (const Measure& measure : steadiness_measures) table.columns.emplace_back(measure.name);
  for_arms(context, table, [&](const std::string& schedule, const std::string& arm) {
    const auto levels = values(context, schedule, arm, "all", window, &Steadiness::level);
    if (levels.empty()) return;
    double level = 0;
    for (const auto& [run, value] : levels) level += value / static_cast<double>(levels.size());
    table.rows.push_back(
        {{arm_text(context, schedule, arm)}, {fmt::format("{:.3g}", std::exp(level))}});
    for (const Measure& measure : steadiness_measures)
      table.rows.back().push_back(
          {mean_text(values(context, schedule, arm, "all", window, measure.value), 3)});
  });
  drop_unmeasured(table);
  return table;
}

// "−0.12 (−0.2 to −0.1)", bold where the interval leaves zero out.
Cell difference_cell(const ReportContext& context, const std::map<RunKey, double>& baseline,
                     const std::map<RunKey, double>& arm) {
  if (baseline.empty() || arm.empty()) return {"–"};
  const Difference difference = compare_values(baseline, arm, context.report().differences.options);
  const Interval& interval = difference.interval;
  if (arm.size() < 2) return {number_text(difference.mean, 3)};  // one run has no interval
  return {fmt::format("{} ({} to {})", number_text(difference.mean, 3),
                      number_text(interval.low, 3), number_text(interval.high, 3)),
          interval.high > interval.low && (interval.high < 0 || interval.low > 0)};
}

Table steadier_table(const ReportContext& context, const std::string& title, Window window) {
  Table table{title, {"arm − its baseline"}, {}};
  for (const Measure& measure : steadiness_measures) table.columns.emplace_back(measure.name);
  for_arms(context, table, [&](const std::string& schedule, const std::string& arm) {
    const std::string& baseline = context.baseline_of(arm);
    if (arm == baseline) return;
    std::vector<Cell> row = {{arm_text(context, schedule, arm)}};
    for (const Measure& measure : steadiness_measures)
      row.push_back(difference_cell(
          context, values(context, schedule, baseline, "all", window, measure.value),
          values(context, schedule, arm, "all", window, measure.value)));
    const auto is_empty = [](const Cell& cell) { return cell.text == "–"; };
    if (!std::all_of(row.begin() + 1, row.end(), is_empty)) table.rows.push_back(std::move(row));
  });
  drop_unmeasured(table);
  return table;
}

// Parts of the network in the order in which speech goes through it.
std::vector<std::string> network_parts(const std::vector<MeasuredRun>& runs) {
  std::vector<std::string> parts = {"subsampling"};
  size_t layers = 0;
  for (const MeasuredRun& run : runs)
    while (run.all.contains(fmt::format("layers.{}", layers))) ++layers;
  for (size_t i = 0; i < layers; ++i) parts.push_back(fmt::format("layers.{}", i));
  parts.insert(parts.end(), {"predictor", "joiner", "heads"});
  for (const MeasuredRun& run : runs)
    for (const auto& [name, steadiness] : run.all)
      if (name != "all") add_new(parts, name);
  std::erase_if(parts, [&](const std::string& part) {
    return std::none_of(runs.begin(), runs.end(),
                        [&](const MeasuredRun& run) { return run.all.contains(part); });
  });
  return parts;
}

Table parts_table(const ReportContext& context, const std::string& title, Window window,
                  double Steadiness::*value) {
  const std::vector<std::string> parts = network_parts(context.report().optimisation);
  Table table{title, {"arm"}, {}};
  table.columns.insert(table.columns.end(), parts.begin(), parts.end());
  if (parts.empty()) return table;
  for_arms(context, table, [&](const std::string& schedule, const std::string& arm) {
    std::vector<Cell> row = {{arm_text(context, schedule, arm)}};
    for (const std::string& part : parts)
      row.push_back({mean_text(values(context, schedule, arm, part, window, value), 3)});
    const auto is_empty = [](const Cell& cell) { return cell.text == "–"; };
    if (!std::all_of(row.begin() + 1, row.end(), is_empty)) table.rows.push_back(std::move(row));
  });
  return table;
}

// Runs of the arm that has most.
size_t most_runs(const std::vector<MeasuredRun>& runs) {
  std::map<std::pair<std::string, std::string>, size_t> counts;
  size_t most = 0;
  for (const MeasuredRun& run : runs) most = std::max(most, ++counts[{run.schedule, run.arm}]);
  return most;
}

// Whether the arm's curve is among those of its chart, and the lines that have one.
void add_charts(const ReportContext& context, const std::vector<MeasureCurve>& curves,
                const Chart& like, std::vector<Chart>& charts) {
  const auto find = [&](const std::string& schedule, const std::string& arm) {
    return std::find_if(curves.begin(), curves.end(), [&](const MeasureCurve& curve) {
      return curve.schedule == schedule && curve.arm == arm;
    });
  };
  for (const std::string& schedule : context.schedules())
    for (const ReportContext::ChartLines& lines : context.chart_lines()) {
      Chart chart = like;
      if (context.schedules().size() > 1) chart.title += ", " + schedule;
      if (!lines.factor.empty()) chart.title += ", " + lines.factor;
      bool news = !context.has_many_arms();
      for (const ReportContext::Line& line : lines.lines) {
        const auto curve = find(schedule, line.arm);
        if (curve == curves.end()) continue;
        news |= line.arm != context.report().baseline && line.arm != context.primary();
        chart.series.push_back({context.label(line.arm), line.colour, curve->x, curve->mean,
                                curve->low, curve->high, line.dashed});
      }
      if (news && !chart.series.empty()) charts.push_back(std::move(chart));
    }
}

void add_all_charts(const ReportContext& context, Section& section) {
  const std::vector<MeasuredRun>& all = context.report().optimisation;
  const auto cosines = measure_curves(all, PathMeasure::cosine);
  // Where arms are many, those that measured their path speak for the others.
  std::vector<MeasuredRun> shown = all;
  if (context.has_many_arms() && !cosines.empty())
    std::erase_if(shown, [&](const MeasuredRun& run) {
      return std::none_of(cosines.begin(), cosines.end(), [&](const MeasureCurve& curve) {
        return curve.schedule == run.schedule && curve.arm == run.arm;
      });
    });
  add_charts(context, measure_curves(shown, PathMeasure::norm),
             {"Gradient norm", "updates", "norm", {}, true, 3}, section.charts);
  add_charts(context, cosines,
             {"Cosine of successive gradients", "updates", "cosine", {}, false, 3}, section.charts);
  add_charts(context, measure_curves(shown, PathMeasure::detour),
             {"Path ÷ displacement", "updates", "path ÷ displacement", {}, false, 2},
             section.charts);
  add_charts(context, line_curves(shown),
             {"Loss on the line from start to end", "share of the way", "loss, nats", {}, true, 2},
             section.charts);
}

}  // namespace

Section optimisation_section(const ReportContext& context) {
  Section section{
      "optimisation",
      "How optimisation goes",
      "Of the whole gradient before clipping: its norm, and its cosine with the gradient before. "
      "Of the weights: the length of their path over their distance from the start, 1 where it "
      "is straight. Lines are means over runs (of norms, geometric), bands reach from the least "
      "to the greatest run.",
      {},
      {}};
  if (context.report().optimisation.empty()) return section;
  add_all_charts(context, section);
  const auto add = [&](Table table) {
    if (!table.rows.empty()) section.tables.push_back(std::move(table));
  };
  add(steadiness_table(context, "In the first epoch", &MeasuredRun::early));
  add(steadiness_table(context, "Over the whole run", &MeasuredRun::all));
  if (!section.tables.empty())
    section.tables.back().note =
        "Geometric mean of the norm; standard deviation of its natural logarithm; mean absolute "
        "change of the logarithm from update to update; mean cosine of successive gradients; the "
        "path up to then over the distance from the start. Means over runs.";
  add(steadier_table(context, "Steadier than the baseline? In the first epoch",
                     &MeasuredRun::early));
  add(steadier_table(context, "Steadier than the baseline? Over the whole run", &MeasuredRun::all));
  if (!section.tables.empty())
    section.tables.back().note = fmt::format(
        "Differences with {:g} % intervals from draws of runs; bold where zero is outside.{} "
        "Steadier is: less spread, less change, a greater cosine, a path nearer to straight.",
        100 * context.report().differences.options.confidence,
        most_runs(context.report().optimisation) < 4
            ? " With so few runs they say little, and with one there is none."
            : "");
  add(parts_table(context, "Change of log norm in the first epoch, by part", &MeasuredRun::early,
                  &Steadiness::change));
  add(parts_table(context, "Cosine in the first epoch, by part", &MeasuredRun::early,
                  &Steadiness::cosine));
  add(parts_table(context, "Path ÷ displacement over the whole run, by part", &MeasuredRun::all,
                  &Steadiness::detour));
  return section;
}

}  // namespace scion
