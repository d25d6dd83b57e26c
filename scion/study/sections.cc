#include "scion/study/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report_context.h"

namespace scion {
namespace {

constexpr size_t most_epochs = 8;

std::string students_text(const std::optional<Ratio>& students) {
  if (!students) return "–";
  if (std::isinf(students->value)) return "never";
  return bound_sign(students->bound) + number_text(std::ceil(students->value - 1e-9), 0);
}

std::string p_text(double p) { return p < 0.001 ? "< 0.001" : number_text(p, 3); }

std::string seconds_text(double seconds) {
  if (seconds < 120) return number_text(seconds, seconds < 10 ? 1 : 0) + " s";
  return seconds < 7200 ? number_text(seconds / 60, 1) + " min"
                        : number_text(seconds / 3600, 1) + " h";
}

// Epochs for a table's columns: those asked for or, of all after the start, a few that are dense
// where curves are steep.
std::vector<double> shown_epochs(const StudyReport& report,
                                 const std::vector<const Curve*>& curves) {
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

Cell wer_cell(const ReportContext& context, const CurvePoint* point) {
  if (!point) return {"–"};
  std::string text = context.rate(point->wer);
  if (point->by_run.size() > 1) text += " ± " + context.rate(point->spread);
  return {text};
}

Table wer_table(const ReportContext& context, const std::string& title,
                const std::vector<const Curve*>& curves) {
  const std::vector<double> epochs = shown_epochs(context.report(), curves);
  Table table{title, epoch_columns({"epoch"}, epochs), {}};
  for (const Curve* curve : curves) table.rows.push_back({{context.label(curve->arm)}});
  for (const double epoch : epochs) {
    std::string best;
    double least = HUGE_VAL;
    for (size_t i = 0; i < curves.size(); ++i) {
      const CurvePoint* point = find_point(*curves[i], epoch);
      table.rows[i].push_back(wer_cell(context, point));
      if (point && point->wer < least) least = point->wer, best = context.rate(least);
    }
    // What looks equal is marked alike.
    for (size_t i = 0; i < curves.size() && curves.size() > 1; ++i)
      if (const CurvePoint* point = find_point(*curves[i], epoch))
        table.rows[i].back().strong = context.rate(point->wer) == best;
  }
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
      "of a "
      "column is bold.",
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
    for (const std::string& arm : context.arms()) {
      table.rows.push_back({{context.label(arm)}});
      for (const std::string& schedule : context.schedules()) {
        const Curve* curve = context.curve(schedule, set, arm);
        table.rows.back().push_back(wer_cell(context, curve ? &curve->points.back() : nullptr));
      }
    }
    tables.push_back(table);
  }
  return tables;
}

Section wer_section(const ReportContext& context) {
  Section section{"wer", "Word error rates", "WER in percent by epochs of training. ", {}, {}};
  section.text += runs_note(context);
  for (const ReportContext::Place& place : context.places())
    section.tables.push_back(
        wer_table(context, context.place(place.schedule, place.set), place.curves));
  for (Table& table : schedule_tables(context)) section.tables.push_back(std::move(table));
  return section;
}

Table arms_table(const ReportContext& context) {
  Table table{"", {"arm", "started from"}, {}};
  table.label_columns = 2;
  table.wraps = true;
  for (const std::string& arm : context.arms())
    for (const ArmDescription& description : context.report().arms)
      if (description.name == arm && !description.description.empty())
        table.rows.push_back({{context.label(arm)}, {description.description}});
  return table;
}

Section arms_section(const ReportContext& context) {
  Section section{"arms", "Arms", "", {}, {}};
  if (Table table = arms_table(context); !table.rows.empty()) section.tables.push_back(table);
  return section;
}

struct TimeUnit {
  double seconds;
  const char* name;
};

TimeUnit time_unit(double seconds) {
  if (seconds < 300) return {1, "seconds"};
  return seconds < 3 * 3600 ? TimeUnit{60, "minutes"} : TimeUnit{3600, "hours"};
}

// Logarithmic where curves fall far: equal steps are then equal relative gains.
bool wants_logarithm(const std::vector<const Curve*>& curves) {
  double low = HUGE_VAL, high = 0;
  for (const Curve* curve : curves)
    for (const CurvePoint& point : curve->points) {
      if (!std::isfinite(point.wer)) continue;
      low = std::min(low, point.low);
      high = std::max(high, point.high);
    }
  return low > 0 && high > 2 * low;
}

Series curve_series(const Curve& curve, Scale scale, double unit, std::string name, size_t colour) {
  Series series{std::move(name), colour, {}, {}, {}, {}};
  for (const CurvePoint& point : curve.points) {
    series.x.push_back(position(point, scale) / unit);
    series.y.push_back(point.wer);
    if (point.by_run.size() < 2) continue;
    series.low.push_back(point.low);
    series.high.push_back(point.high);
  }
  return series;
}

Chart curve_chart(const ReportContext& context, const std::vector<const Curve*>& curves,
                  Scale scale, const std::string& title) {
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
  // The baseline comes first, so that it lies below the others.
  for (const bool baseline : {true, false})
    for (const Curve* curve : curves)
      if ((curve->arm == context.report().baseline) == baseline)
        chart.series.push_back(curve_series(*curve, scale, unit.seconds, context.label(curve->arm),
                                            context.colour(curve->arm)));
  return chart;
}

Section curve_section(const ReportContext& context) {
  Section section{"curves", "Learning curves", "", {}, {}};
  bool has_bands = false, has_logarithm = false;
  for (const ReportContext::Place& place : context.places()) {
    const std::string name = context.place(place.schedule, place.set);
    section.charts.push_back(
        curve_chart(context, place.curves, Scale::epochs, name + ", by epochs"));
    const auto timed = [](const Curve* c) { return has_scale(*c, Scale::training_time); };
    if (std::all_of(place.curves.begin(), place.curves.end(), timed))
      section.charts.push_back(
          curve_chart(context, place.curves, Scale::training_time, name + ", by training time"));
    has_logarithm |= section.charts.back().log_y;
    for (const Curve* curve : place.curves) has_bands |= curve->runs.size() > 1;
  }
  section.text = has_bands
                     ? "Lines are means over runs, bands reach from the best to the worst run. "
                     : "One run an arm. ";
  if (has_logarithm) section.text += "Error rates stand on a logarithmic scale.";
  return section;
}

// Appends a row unless nothing is known on this measure.
template <class Text>
void add_measure(Table& table, const std::string& label, const std::string& measure,
                 const std::vector<const SpeedUp*>& entries, Text text) {
  std::vector<Cell> row = {{label}, {measure}};
  for (const SpeedUp* entry : entries) row.push_back({entry ? text(*entry) : "–"});
  const auto says_nothing = [](const Cell& cell) { return cell.text == "–"; };
  if (!std::all_of(row.begin() + 2, row.end(), says_nothing)) table.rows.push_back(row);
}

void add_speed_up(Table& table, const std::string& label, const Curve& arm, const Curve& baseline,
                  const std::vector<double>& epochs) {
  const std::vector<SpeedUp> all = speed_up(arm, baseline);
  std::vector<const SpeedUp*> entries;
  for (const double epoch : epochs) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const SpeedUp& entry) {
      return std::abs(entry.epoch - epoch) < 1e-6;
    });
    entries.push_back(found == all.end() ? nullptr : &*found);
  }
  add_measure(table, label, "speed-up in epochs", entries,
              [](const SpeedUp& e) { return ratio_text(e.epochs); });
  add_measure(table, "", "in training time", entries,
              [](const SpeedUp& e) { return ratio_text(e.training_time); });
  add_measure(table, "", "in total compute", entries,
              [](const SpeedUp& e) { return ratio_text(e.compute); });
  add_measure(table, "", "students that pay for the teacher", entries,
              [](const SpeedUp& e) { return students_text(e.students_to_pay_back); });
  add_measure(table, "", "WER against the same epoch, %", entries, [](const SpeedUp& e) {
    return e.relative_reduction ? number_text(-100 * *e.relative_reduction, 1) : "–";
  });
}

// Columns in which nothing is known, such as times of a table that has none.
void drop_unknown_columns(Table& table) {
  for (size_t i = table.columns.size(); i-- > 0;) {
    const auto is_unknown = [&](const std::vector<Cell>& row) { return row[i].text == "–"; };
    if (table.rows.empty() || !std::all_of(table.rows.begin(), table.rows.end(), is_unknown))
      continue;
    table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(i));
    for (auto& row : table.rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

Table final_table(const ReportContext& context) {
  Table table{
      fmt::format("Until the last WER of {}", context.label(context.report().baseline)),
      {"arm", "set", "WER", "at epoch", "in epochs", "in training time", "in total compute"},
      {}};
  table.label_columns = 2;
  for (const ReportContext::Place& place : context.places()) {
    if (!place.baseline) continue;
    const double wer = place.baseline->points.back().wer;
    for (const Curve* arm : place.curves) {
      if (arm == place.baseline) continue;
      const Crossing crossing = find_crossing(*arm, wer, Scale::epochs);
      const auto ratio = [&](Scale scale) {
        return Cell{ratio_text(speed_up_to_end(*arm, *place.baseline, scale))};
      };
      table.rows.push_back({{context.label(arm->arm)},
                            {context.place(place.schedule, place.set)},
                            {context.rate(wer)},
                            {bound_sign(crossing.bound) + number_text(crossing.position, 1)},
                            ratio(Scale::epochs),
                            ratio(Scale::training_time),
                            ratio(Scale::compute)});
    }
  }
  drop_unknown_columns(table);
  return table;
}

Section speed_section(const ReportContext& context) {
  Section section{
      "speed",
      "Speed-up",
      fmt::format(
          "How much more {0} needs to reach the error rate that an arm has at an epoch: 2× "
          "is twice as much. Between evaluations curves are taken for straight, and a "
          "crossing has to hold for two evaluations. ≥ stands where {0} does not get there, "
          "or only at its last evaluation; ≤ where it is there at its first. Total compute "
          "includes the teacher, which pays for itself after so many students.",
          context.label(context.report().baseline)),
      {},
      {}};
  for (const ReportContext::Place& place : context.places()) {
    if (!place.baseline) continue;
    const std::vector<double> epochs = shown_epochs(context.report(), place.curves);
    Table table{
        context.place(place.schedule, place.set), epoch_columns({"arm", "at epoch"}, epochs), {}};
    table.label_columns = 2;
    for (const Curve* arm : place.curves)
      if (arm != place.baseline)
        add_speed_up(table, context.label(arm->arm), *arm, *place.baseline, epochs);
    if (!table.rows.empty()) section.tables.push_back(table);
  }
  if (Table table = final_table(context); !table.rows.empty()) section.tables.push_back(table);
  return section;
}

std::vector<Cell> difference_row(const ReportContext& context, const ArmDifference& entry,
                                 bool primary) {
  const Difference& difference = entry.difference;
  return {
      {fmt::format("{} − {}{}", context.label(entry.comparison.second),
                   context.label(entry.comparison.first), primary ? " (primary)" : ""),
       primary},
      {fmt::format("{}, epoch {:g}", context.place(entry.comparison.schedule, entry.comparison.set),
                   *entry.comparison.epoch)},
      {context.rate(entry.first_wer) + " → " + context.rate(entry.second_wer)},
      {number_text(difference.mean, 2), primary},
      {fmt::format("{} to {}", number_text(difference.interval.low, 2),
                   number_text(difference.interval.high, 2))},
      {number_text(100 * entry.relative(), 1) + " %"},
      {p_text(difference.p_value)},
      {primary ? "–" : p_text(entry.adjusted_p)}};
}

Section difference_section(const ReportContext& context) {
  const Differences& differences = context.report().differences;
  Section section{"differences", "Differences", "", {}, {}};
  std::vector<const ArmDifference*> all;
  if (differences.primary) all.push_back(&*differences.primary);
  for (const ArmDifference& entry : differences.secondary) all.push_back(&entry);
  if (all.empty()) return section;
  const bool by_speaker = all.front()->by_speaker;
  section.text = fmt::format(
      "Differences of WER in percentage points, negative where the arm named first is better. "
      "Intervals ({:g} %) and two-sided p from {} draws of seeds, then {} (hierarchical bootstrap, "
      "both arms on the same draw; here {} {}). The primary comparison was declared before; the p "
      "of the others are adjusted after Holm.",
      100 * differences.options.confidence, differences.options.draws,
      by_speaker ? "speakers" : "utterances", all.front()->units,
      by_speaker ? "speakers" : "utterances");
  Table table{"",
              {"comparison", "where", "WER, %", "difference",
               fmt::format("{:g} % interval", 100 * differences.options.confidence), "relative",
               "p", "p, Holm"},
              {}};
  table.label_columns = 2;
  for (const ArmDifference* entry : all)
    table.rows.push_back(
        difference_row(context, *entry, differences.primary && entry == &*differences.primary));
  section.tables.push_back(table);
  return section;
}

// The arm, with the schedule where there are several.
std::string arm_text(const ReportContext& context, const std::string& schedule,
                     const std::string& arm) {
  const std::string label = context.label(arm);
  return context.schedules().size() > 1 && !schedule.empty() ? label + ", " + schedule : label;
}

Table stability_table(const ReportContext& context) {
  const StudyReport& report = context.report();
  Table table{
      fmt::format("The first {} updates", report.first_updates),
      {"arm", "mean norm", "spread of log norm", "change from update to update"},
      {},
      "Geometric mean of the norm; standard deviation of its natural logarithm; mean absolute "
      "change of the logarithm between records. Means over runs."};
  for (const GradientStability& entry : gradient_stability(report.gradients, report.first_updates))
    table.rows.push_back({{arm_text(context, entry.schedule, entry.arm)},
                          {fmt::format("{:.3g}", entry.level)},
                          {number_text(entry.spread, 3)},
                          {number_text(entry.change, 3)}});
  return table;
}

Section gradient_section(const ReportContext& context) {
  Section section{
      "gradients",
      "Gradients",
      "The norm of the whole gradient before clipping, on a logarithmic scale: geometric "
      "mean over runs, the band from the least to the greatest run.",
      {},
      {}};
  const std::vector<GradientCurve> curves = gradient_curves(context.report().gradients);
  std::vector<std::string> schedules;
  for (const GradientCurve& curve : curves) add_new(schedules, curve.schedule);
  for (const std::string& schedule : schedules) {
    Chart chart{schedules.size() > 1 ? "Gradient norm, " + schedule : "Gradient norm",
                "updates",
                "norm",
                {},
                true,
                3};
    for (const GradientCurve& curve : curves)
      if (curve.schedule == schedule)
        chart.series.push_back({context.label(curve.arm), context.colour(curve.arm), curve.updates,
                                curve.mean, curve.low, curve.high});
    section.charts.push_back(chart);
  }
  if (Table table = stability_table(context); !table.rows.empty()) section.tables.push_back(table);
  return section;
}

Section teacher_section(const ReportContext& context) {
  Section section{"teacher", "The teacher", "", {}, {}};
  const std::vector<Curve> curves = learning_curves(context.report().teacher);
  if (curves.empty()) return section;
  Chart chart{"WER of the teacher", "epochs", "WER, %", {}, false, context.decimals()};
  Table table{"", {"set", "last WER, %", "epochs", "training"}, {}};
  std::vector<const Curve*> pointers;
  for (const Curve& curve : curves) {
    pointers.push_back(&curve);
    chart.series.push_back(
        curve_series(curve, Scale::epochs, 1, curve.set, chart.series.size() + 1));
    const CurvePoint& last = curve.points.back();
    table.rows.push_back({{curve.set},
                          {context.rate(last.wer)},
                          {fmt::format("{:g}", last.epoch)},
                          {seconds_text(last.training_seconds)}});
  }
  chart.log_y = wants_logarithm(pointers);
  section.charts.push_back(chart);
  section.tables.push_back(table);
  return section;
}

// WER of an arm's last evaluations on the utterances that are, or are not, among `ids`.
std::string part_rate(const ReportContext& context, const Curve& curve,
                      const std::set<std::string>& ids, bool among) {
  double errors = 0, words = 0;
  for (const ResultRow& row : context.report().rows) {
    if (row.schedule != curve.schedule || row.set != curve.set || row.arm != curve.arm ||
        row.weights != "raw" || std::abs(row.epoch - curve.points.back().epoch) > 1e-6)
      continue;
    for (const UtteranceErrors& utterance : row.utterances)
      if (ids.contains(utterance.id) == among) {
        errors += static_cast<double>(utterance.errors);
        words += static_cast<double>(utterance.words);
      }
  }
  return words > 0 ? context.rate(100 * errors / words) : "–";
}

Section seen_section(const ReportContext& context) {
  Section section{"seen",
                  "Sentences that also occur in training",
                  "Some sentences of a test set are also said, by other speakers, in the training "
                  "data. A recogniser may know them by heart, so they are reported apart: WER in "
                  "percent at the last evaluation.",
                  {},
                  {}};
  for (const ReportContext::Place& place : context.places()) {
    const auto seen = context.report().seen_sentences.find(place.set);
    if (seen == context.report().seen_sentences.end() || seen->second.empty()) continue;
    Table table{context.place(place.schedule, place.set),
                {"arm", "all", fmt::format("also in training ({})", seen->second.size()), "new"},
                {}};
    for (const Curve* curve : place.curves)
      table.rows.push_back({{context.label(curve->arm)},
                            {context.rate(curve->points.back().wer)},
                            {part_rate(context, *curve, seen->second, true)},
                            {part_rate(context, *curve, seen->second, false)}});
    section.tables.push_back(table);
  }
  return section;
}

Section tuning_section(const ReportContext& context) {
  Section section{"tuning",
                  "Tuning",
                  "Settings were tried on development data only; the chosen one is bold.",
                  {},
                  {}};
  std::vector<std::string> settings;
  std::vector<std::pair<std::string, std::string>> arms;
  for (const TuningRow& row : context.report().tuning) {
    add_new(settings, row.setting);
    add_new(arms, std::pair(row.schedule, row.arm));
  }
  if (arms.empty()) return section;
  Table table{"WER on the development set, %", {"arm"}, {}};
  table.columns.insert(table.columns.end(), settings.begin(), settings.end());
  for (const auto& [schedule, arm] : arms) {
    table.rows.push_back({{arm_text(context, schedule, arm)}});
    table.rows.back().resize(settings.size() + 1, {"–"});
    for (const TuningRow& row : context.report().tuning)
      if (row.schedule == schedule && row.arm == arm) {
        const auto column = std::find(settings.begin(), settings.end(), row.setting);
        table.rows.back()[static_cast<size_t>(column - settings.begin()) + 1] = {
            context.rate(row.wer), row.chosen};
      }
  }
  section.tables.push_back(table);
  return section;
}

Section check_section(const ReportContext& context) {
  Section section{"checks", "Self-checks", "", {}, {}};
  Table table{"", {"", "check", "found"}, {}};
  table.label_columns = 3;
  table.wraps = true;
  int64_t passed = 0;
  for (const SelfCheck& check : context.report().checks) {
    table.rows.push_back({{check.passed ? "✓ passed" : "✗ fell short", !check.passed},
                          {check.name},
                          {check.detail}});
    passed += check.passed;
  }
  if (table.rows.empty()) return section;
  section.text = fmt::format("{} of {} passed.", passed, table.rows.size());
  section.tables.push_back(table);
  return section;
}

}  // namespace

std::vector<Section> report_sections(const StudyReport& report) {
  const ReportContext context(report);
  std::vector<Section> sections;
  const auto add = [&](Section section) {
    if (!section.tables.empty() || !section.charts.empty()) sections.push_back(std::move(section));
  };
  add(arms_section(context));
  add(wer_section(context));
  add(curve_section(context));
  add(speed_section(context));
  add(difference_section(context));
  add(seen_section(context));
  add(gradient_section(context));
  add(teacher_section(context));
  add(tuning_section(context));
  add(check_section(context));
  return sections;
}

}  // namespace scion
