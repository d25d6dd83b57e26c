// Steadiness of optimisation: gradients, and the path of the weights.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/chart_lines.h"
#include "scion/study/report/section_parts.h"
#include "scion/study/report/sections.h"

namespace scion {
namespace {

// A measure of steadiness: its column and its member.
struct Measure {
  const char* name;
  double Steadiness::*value;
};

constexpr Measure steadiness_measures[] = {{"spread of log norm", &Steadiness::spread},
                                           {"change of log norm", &Steadiness::change},
                                           {"cosine", &Steadiness::cosine},
                                           {"path ÷ displacement", &Steadiness::detour}};

using Window = std::map<std::string, Steadiness> MeasuredRun::*;

std::map<RunKey, double> values(const ReportContext& context, const std::string& budget,
                                const std::string& arm, const std::string& part, Window window,
                                double Steadiness::*value) {
  return values_of(context.report().measured_runs, budget, arm, [&](const MeasuredRun& run) {
    const auto found = (run.*window).find(part);
    return found == (run.*window).end() ? NAN : found->second.*value;
  });
}

std::string mean_text(const std::map<RunKey, double>& values, int decimals) {
  double sum = 0;
  for (const auto& [run, value] : values) sum += value;
  return values.empty() ? "–" : number_text(sum / static_cast<double>(values.size()), decimals);
}

// Drops columns without any measurement.
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

// Calls add(budget, arm) for every arm of every budget.
template <class Add>
void for_arms(const ReportContext& context, Table& table, Add add) {
  for (const std::string& budget : context.budgets())
    add_by_factor(context, table, [&](const std::string& arm) { add(budget, arm); });
}

Table steadiness_table(const ReportContext& context, const std::string& title, Window window) {
  Table table{title, {"arm", "mean norm"}, {}};
  for (const Measure& measure : steadiness_measures) table.columns.emplace_back(measure.name);
  for_arms(context, table, [&](const std::string& budget, const std::string& arm) {
    const auto levels = values(context, budget, arm, "all", window, &Steadiness::level);
    if (levels.empty()) return;
    double level = 0;
    for (const auto& [run, value] : levels) level += value / static_cast<double>(levels.size());
    table.rows.push_back(
        {{arm_text(context, budget, arm)}, {fmt::format("{:.3g}", std::exp(level))}});
    for (const Measure& measure : steadiness_measures)
      table.rows.back().push_back(
          {mean_text(values(context, budget, arm, "all", window, measure.value), 3)});
  });
  drop_unmeasured(table);
  return table;
}

// "−0.12 (−0.2 to −0.1)", bold if the interval excludes zero.
Cell difference_cell(const ReportContext& context, const std::map<RunKey, double>& baseline,
                     const std::map<RunKey, double>& arm) {
  if (baseline.empty() || arm.empty()) return {"–"};
  const Difference difference = compare_values(baseline, arm, context.report().differences.options);
  const Interval& interval = difference.interval;
  if (arm.size() < 2) return {number_text(difference.mean, 3)};  // no interval from one run
  return {fmt::format("{} ({} to {})", number_text(difference.mean, 3),
                      number_text(interval.low, 3), number_text(interval.high, 3)),
          interval.high > interval.low && (interval.high < 0 || interval.low > 0)};
}

Table steadier_table(const ReportContext& context, const std::string& title, Window window) {
  Table table{title, {"arm − its baseline"}, {}};
  for (const Measure& measure : steadiness_measures) table.columns.emplace_back(measure.name);
  for_arms(context, table, [&](const std::string& budget, const std::string& arm) {
    const std::string& baseline = context.baseline_of(arm);
    if (arm == baseline) return;
    std::vector<Cell> row = {{arm_text(context, budget, arm)}};
    for (const Measure& measure : steadiness_measures)
      row.push_back(difference_cell(context,
                                    values(context, budget, baseline, "all", window, measure.value),
                                    values(context, budget, arm, "all", window, measure.value)));
    const auto is_empty = [](const Cell& cell) { return cell.text == "–"; };
    if (!std::all_of(row.begin() + 1, row.end(), is_empty)) table.rows.push_back(std::move(row));
  });
  drop_unmeasured(table);
  return table;
}

// Parts of the network, in the order of the forward pass.
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
  const std::vector<std::string> parts = network_parts(context.report().measured_runs);
  Table table{title, {"arm"}, {}};
  table.columns.insert(table.columns.end(), parts.begin(), parts.end());
  if (parts.empty()) return table;
  for_arms(context, table, [&](const std::string& budget, const std::string& arm) {
    std::vector<Cell> row = {{arm_text(context, budget, arm)}};
    for (const std::string& part : parts)
      row.push_back({mean_text(values(context, budget, arm, part, window, value), 3)});
    const auto is_empty = [](const Cell& cell) { return cell.text == "–"; };
    if (!std::all_of(row.begin() + 1, row.end(), is_empty)) table.rows.push_back(std::move(row));
  });
  return table;
}

// The greatest number of runs of an arm.
size_t most_runs(const std::vector<MeasuredRun>& runs) {
  std::map<std::pair<std::string, std::string>, size_t> counts;
  size_t most = 0;
  for (const MeasuredRun& run : runs) most = std::max(most, ++counts[{run.budget, run.arm}]);
  return most;
}

// Adds the curves, split into charts as everywhere in the report; `like` has titles and axes.
void add_charts(const ReportContext& context, const std::vector<MeasureCurve>& curves,
                const Chart& like, std::vector<Chart>& charts) {
  const auto find = [&](const std::string& budget, const std::string& arm) {
    return std::find_if(curves.begin(), curves.end(), [&](const MeasureCurve& curve) {
      return curve.budget == budget && curve.arm == arm;
    });
  };
  for (const std::string& budget : context.budgets())
    for (const ChartLines& lines : chart_lines(context)) {
      Chart chart = like;
      if (context.budgets().size() > 1) chart.title += ", " + budget;
      if (!lines.factor.empty()) chart.title += ", " + lines.factor;
      bool shows_own_arms = !context.has_many_arms();
      for (const ChartLine& line : lines.lines) {
        const auto curve = find(budget, line.arm);
        if (curve == curves.end()) continue;
        shows_own_arms |= line.arm != context.report().baseline && line.arm != context.primary();
        chart.series.push_back({context.label(line.arm), line.colour, curve->x, curve->mean,
                                curve->low, curve->high, line.dashed});
      }
      if (shows_own_arms && !chart.series.empty()) charts.push_back(std::move(chart));
    }
}

void add_all_charts(const ReportContext& context, Section& section) {
  const std::vector<MeasuredRun>& all = context.report().measured_runs;
  const auto cosines = measure_curves(all, PathMeasure::cosine);
  // With many arms, only those that measured their path are shown.
  std::vector<MeasuredRun> shown = all;
  if (context.has_many_arms() && !cosines.empty())
    std::erase_if(shown, [&](const MeasuredRun& run) {
      return std::none_of(cosines.begin(), cosines.end(), [&](const MeasureCurve& curve) {
        return curve.budget == run.budget && curve.arm == run.arm;
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

Section steadiness_section(const ReportContext& context) {
  Section section{
      "steadiness",
      "Steadiness of optimisation",
      "The gradient's norm before clipping, and its cosine with the gradient of the update before. "
      "The length of the weights' path divided by their distance from the start, 1 for a straight "
      "path. Lines are means over runs (geometric for norms); bands span the least to the greatest "
      "run.",
      {},
      {}};
  if (context.report().measured_runs.empty()) return section;
  add_all_charts(context, section);
  const auto add = [&](Table table) {
    if (!table.rows.empty()) section.tables.push_back(std::move(table));
  };
  add(steadiness_table(context, "In the first epoch", &MeasuredRun::early));
  add(steadiness_table(context, "Over the whole run", &MeasuredRun::all));
  if (!section.tables.empty())
    section.tables.back().note =
        "Geometric mean of the norm; standard deviation of its natural logarithm; mean absolute "
        "change of the logarithm between updates; mean cosine of successive gradients; length of "
        "the path so far divided by the distance from the start. Means over runs.";
  add(steadier_table(context, "Steadier than the baseline? In the first epoch",
                     &MeasuredRun::early));
  add(steadier_table(context, "Steadier than the baseline? Over the whole run", &MeasuredRun::all));
  if (!section.tables.empty())
    section.tables.back().note = fmt::format(
        "Differences with {:g} % intervals from a bootstrap over runs; bold if the interval "
        "excludes zero.{} Steadier means less spread, less change, a greater cosine, a straighter "
        "path.",
        100 * context.report().differences.options.confidence,
        most_runs(context.report().measured_runs) < 4
            ? " With fewer than 4 runs the intervals are rough, and one run has none."
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
