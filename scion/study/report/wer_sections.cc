// What error rates the arms have: all at once, by epochs as a table, as curves.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "scion/study/report/section_parts.h"

namespace scion {
namespace {

Cell wer_cell(const ReportContext& context, const CurvePoint* point) {
  if (!point) return {"–"};
  std::string text = context.rate(point->wer);
  if (point->by_run.size() > 1) text += " ± " + context.rate(point->spread);
  return {text};
}

Table wer_table(const ReportContext& context, const ReportContext::Place& place) {
  const std::vector<double> epochs = shown_epochs(context.report(), place.curves);
  const bool averaged = std::any_of(place.curves.begin(), place.curves.end(),
                                    [](const Curve* curve) { return curve->averaged.has_value(); });
  Table table{context.place(place.schedule, place.set), epoch_columns({"epoch"}, epochs), {}};
  if (averaged) table.columns.emplace_back("end, averaged");
  std::vector<std::pair<size_t, const Curve*>> rows;
  add_by_factor(context, table, [&](const std::string& arm) {
    const Curve* curve = place.curve(arm);
    if (curve == nullptr) return;
    rows.emplace_back(table.rows.size(), curve);
    table.rows.push_back({{context.label(arm)}});
  });
  const auto add_column = [&](const auto& point_of) {
    double least = HUGE_VAL;
    for (const auto& [row, curve] : rows) {
      const CurvePoint* point = point_of(*curve);
      table.rows[row].push_back(wer_cell(context, point));
      if (point) least = std::min(least, point->wer);
    }
    // What looks equal is marked alike.
    for (const auto& [row, curve] : rows)
      if (const CurvePoint* point = point_of(*curve); point && rows.size() > 1)
        table.rows[row].back().strong = context.rate(point->wer) == context.rate(least);
  };
  for (const double epoch : epochs)
    add_column([&](const Curve& curve) { return find_point(curve, epoch); });
  if (averaged)
    add_column([](const Curve& curve) { return curve.averaged ? &*curve.averaged : nullptr; });
  return table;
}

std::string runs_note(const ReportContext& context) {
  size_t least = SIZE_MAX, most = 0;
  for (const Curve& curve : context.curves()) {
    least = std::min(least, curve.runs.size());
    most = std::max(most, curve.runs.size());
  }
  if (most <= 1) return "One run an arm: no spread is known. The best of a column is bold.";
  const std::string runs =
      least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most);
  return fmt::format(
      "Mean ± sample standard deviation over {} runs (seeds, or teachers × seeds). The best mean "
      "of "
      "a column is bold.",
      runs);
}

// What every arm ends with in schedules of different lengths: one table a set.
std::vector<Table> schedule_tables(const ReportContext& context) {
  std::vector<Table> tables;
  std::vector<std::string> sets;
  if (context.schedules().size() < 2) return tables;
  for (const ReportContext::Place& place : context.places()) add_new(sets, place.set);
  for (const std::string& set : sets) {
    Table table{set + ", at the end of each schedule", {"schedule"}, {}};
    for (const std::string& schedule : context.schedules()) table.columns.push_back(schedule);
    add_by_factor(context, table, [&](const std::string& arm) {
      table.rows.push_back({{context.label(arm)}});
      for (const std::string& schedule : context.schedules()) {
        const Curve* curve = context.curve(schedule, set, arm);
        table.rows.back().push_back(wer_cell(context, curve ? &curve->points.back() : nullptr));
      }
    });
    tables.push_back(table);
  }
  return tables;
}

struct TimeUnit {
  double seconds;
  const char* name;
};

TimeUnit time_unit(double seconds) {
  if (seconds < 300) return {1, "seconds"};
  return seconds < 3 * 3600 ? TimeUnit{60, "minutes"} : TimeUnit{3600, "hours"};
}

using ShownCurves = std::vector<std::pair<ReportContext::Line, const Curve*>>;

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
              wants_logarithm(curves),
              context.decimals()};
  // The report's baseline comes first, so that it lies below the others.
  for (const bool baseline : {true, false})
    for (const auto& [line, curve] : shown)
      if ((line.arm == context.report().baseline) == baseline)
        chart.series.push_back(curve_series(*curve, scale, unit.seconds, context.label(line.arm),
                                            line.colour, line.dashed));
  return chart;
}

// The epoch at which an overview looks early: that of the comparisons, or a fifth of the way.
double early_epoch(const ReportContext& context, const ReportContext::Place& place) {
  const Differences& differences = context.report().differences;
  double early = HUGE_VAL, last = 0;
  const auto look = [&](const ArmDifference& entry) {
    if (entry.comparison.schedule == place.schedule && entry.comparison.set == place.set)
      early = std::min(early, *entry.comparison.epoch);
  };
  if (differences.primary) look(*differences.primary);
  for (const ArmDifference& entry : differences.secondary) look(entry);
  if (std::isfinite(early)) return early;
  for (const Curve* curve : place.curves) last = std::max(last, curve->points.back().epoch);
  for (const CurvePoint& point : place.curves.front()->points)
    if (point.epoch >= 0.2 * last - 1e-9) return point.epoch;
  return last;
}

// Rows of a dot plot: the arms of a place, by factor where they are many.
std::vector<DotRow> dot_rows(const ReportContext& context, const ReportContext::Place& place,
                             bool baselines, std::vector<std::string>& arms) {
  std::vector<DotRow> rows;
  for (const ReportContext::Group& group : context.groups()) {
    const size_t before = rows.size();
    if (context.has_many_arms() && !group.factor.empty()) {
      rows.push_back({group.factor, true, 0});
      arms.emplace_back();
    }
    const size_t first = rows.size();
    for (const std::string& arm : group.arms) {
      if (!place.curve(arm) || (!baselines && context.baseline_of(arm) == arm)) continue;
      const size_t colour = context.is_baseline(arm) ? 0 : arm == context.primary() ? 2 : 1;
      rows.push_back({context.label(arm), false, colour});
      arms.push_back(arm);
    }
    if (rows.size() > first) continue;
    rows.resize(before);
    arms.resize(before);
  }
  return rows;
}

DotPlot wer_dots(const ReportContext& context, const ReportContext::Place& place) {
  std::vector<std::string> arms;
  DotPlot plot{
      "WER, " + context.place(place.schedule, place.set), dot_rows(context, place, true, arms), {}};
  const auto add_panel = [&](const std::string& title, const auto& point_of) {
    DotPanel panel{title, "WER, %", std::nullopt, {}};
    bool any = false;
    for (const std::string& arm : arms) {
      const Curve* curve = arm.empty() ? nullptr : place.curve(arm);
      const CurvePoint* point = curve ? point_of(*curve) : nullptr;
      panel.dots.push_back(
          point ? std::optional(Dot{point->wer, point->low, point->high, point->by_run})
                : std::nullopt);
      any |= point != nullptr;
    }
    if (any) plot.panels.push_back(std::move(panel));
  };
  const double early = early_epoch(context, place);
  add_panel(fmt::format("after {}", epochs_text(early)),
            [&](const Curve& curve) { return find_point(curve, early); });
  add_panel("at the end", [](const Curve& curve) { return &curve.points.back(); });
  add_panel("at the end, averaged weights",
            [](const Curve& curve) { return curve.averaged ? &*curve.averaged : nullptr; });
  return plot;
}

DotPlot difference_dots(const ReportContext& context, const ReportContext::Place& place) {
  std::vector<std::string> arms;
  DotPlot plot{"Difference to the arm's baseline, " + context.place(place.schedule, place.set),
               dot_rows(context, place, false, arms),
               {}};
  std::vector<const ArmDifference*> here;
  const Differences& differences = context.report().differences;
  const auto look = [&](const ArmDifference& entry) {
    if (entry.comparison.schedule == place.schedule && entry.comparison.set == place.set &&
        entry.comparison.first == context.baseline_of(entry.comparison.second))
      here.push_back(&entry);
  };
  if (differences.primary) look(*differences.primary);
  for (const ArmDifference& entry : differences.secondary) look(entry);
  std::set<std::pair<std::string, double>> looks;  // raw after averaged: see the order below
  for (const ArmDifference* entry : here)
    looks.emplace(entry->comparison.weights, *entry->comparison.epoch);
  for (const bool averaged : {false, true})
    for (const auto& [weights, epoch] : looks) {
      if ((weights == "averaged") != averaged) continue;
      DotPanel panel{
          fmt::format("after {}{}", epochs_text(epoch), averaged ? ", averaged weights" : ""),
          "points of WER",
          0.0,
          {}};
      for (const std::string& arm : arms) {
        panel.dots.emplace_back();
        for (const ArmDifference* entry : here)
          if (entry->comparison.second == arm && entry->comparison.weights == weights &&
              *entry->comparison.epoch == epoch)
            panel.dots.back() = Dot{entry->difference.mean, entry->difference.interval.low,
                                    entry->difference.interval.high};
      }
      plot.panels.push_back(std::move(panel));
    }
  return plot;
}

}  // namespace

Section overview_section(const ReportContext& context) {
  Section section{
      "overview",
      "All arms",
      "Dots are means over runs, small marks the runs, lines reach from the best to the "
      "worst.",
      {},
      {}};
  if (context.arms().size() < 3) return section;
  const bool compared = context.report().differences.primary.has_value();
  if (compared)
    section.text += fmt::format(" Of differences, lines are {:g} % intervals.",
                                100 * context.report().differences.options.confidence);
  for (const ReportContext::Place& place : context.places()) {
    section.dots.push_back(wer_dots(context, place));
    if (compared) section.dots.push_back(difference_dots(context, place));
  }
  return section;
}

Section wer_section(const ReportContext& context) {
  Section section{"wer", "Word error rates", "WER in percent by epochs of training. ", {}, {}};
  section.text += runs_note(context);
  for (const ReportContext::Place& place : context.places())
    section.tables.push_back(wer_table(context, place));
  for (Table& table : schedule_tables(context)) section.tables.push_back(std::move(table));
  return section;
}

Section curve_section(const ReportContext& context) {
  Section section{"curves", "Learning curves", "", {}, {}};
  bool has_bands = false, has_logarithm = false;
  for (const ReportContext::Place& place : context.places())
    for (const ReportContext::ChartLines& lines : context.chart_lines()) {
      ShownCurves shown;
      bool news = !context.has_many_arms(), timed = true;
      for (const ReportContext::Line& line : lines.lines) {
        const Curve* curve = place.curve(line.arm);
        if (curve == nullptr) continue;
        shown.emplace_back(line, curve);
        news |= line.arm != context.report().baseline && line.arm != context.primary();
        timed = timed && has_scale(*curve, Scale::training_time);
        has_bands |= curve->runs.size() > 1;
      }
      if (!news || shown.empty()) continue;
      const std::string name = context.place(place.schedule, place.set) +
                               (lines.factor.empty() ? "" : ", " + lines.factor);
      section.charts.push_back(curve_chart(context, shown, Scale::epochs, name + ", by epochs"));
      if (timed && !context.has_many_arms())
        section.charts.push_back(
            curve_chart(context, shown, Scale::training_time, name + ", by training time"));
      has_logarithm |= section.charts.back().log_y;
    }
  section.text = has_bands
                     ? "Lines are means over runs, bands reach from the best to the worst run. "
                     : "One run an arm. ";
  if (context.has_many_arms())
    section.text +=
        "Each chart shows arms that vary the same, beside the baseline and the primary arm; a "
        "baseline of other arms is dashed, in the colour of the arm that it is for. ";
  if (has_logarithm) section.text += "Error rates stand on a logarithmic scale.";
  return section;
}

}  // namespace scion
