#include "scion/study/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "scion/study/curves.h"
#include "scion/study/speedup.h"

namespace scion {
namespace {

constexpr size_t most_epochs = 8;

// ---- words and numbers -------------------------------------------------------------------------

// With a real minus sign, never "-0".
std::string number(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find_first_not_of("-0.") == std::string::npos && text.front() == '-') text.erase(0, 1);
  return text.front() == '-' ? "−" + text.substr(1) : text;
}

std::string bound_sign(Bound bound) {
  if (bound == Bound::exact) return "";
  return bound == Bound::at_least ? "≥ " : "≤ ";
}

std::string ratio_text(const std::optional<Ratio>& ratio) {
  return ratio ? bound_sign(ratio->bound) + number(ratio->value, 2) + "×" : "–";
}

std::string students_text(const std::optional<Ratio>& students) {
  if (!students) return "–";
  if (std::isinf(students->value)) return "never";
  return bound_sign(students->bound) + number(std::ceil(students->value - 1e-9), 0);
}

std::string p_text(double p) { return p < 0.001 ? "< 0.001" : number(p, 3); }

std::string seconds_text(double seconds) {
  if (seconds < 120) return number(seconds, seconds < 10 ? 1 : 0) + " s";
  return seconds < 7200 ? number(seconds / 60, 1) + " min" : number(seconds / 3600, 1) + " h";
}

// What every section needs to know about a report.
struct Context {
  const StudyReport& report;
  std::vector<Curve> curves;
  std::vector<std::string> arms, schedules;
  int decimals = 2;  // of error rates: what the number of words allows

  explicit Context(const StudyReport& report);

  std::string label(const std::string& arm) const {
    for (const ArmDescription& description : report.arms)
      if (description.name == arm && !description.label.empty()) return description.label;
    return arm;
  }
  // The baseline is neutral, the others count from 1.
  size_t colour(const std::string& arm) const {
    size_t colour = 1;
    for (const std::string& other : arms) {
      if (other == arm) return arm == report.baseline ? 0 : colour;
      if (other != report.baseline) ++colour;
    }
    return colour;
  }
  std::string place(const std::string& schedule, const std::string& set) const {
    return schedules.size() > 1 && !schedule.empty() ? fmt::format("{}, {}", set, schedule) : set;
  }
  std::string rate(double wer) const { return number(wer, decimals); }
};

template <class Items, class Value>
void add_new(Items& items, const Value& value) {
  if (std::find(items.begin(), items.end(), value) == items.end()) items.push_back(value);
}

Context::Context(const StudyReport& report) : report(report), curves(learning_curves(report.rows)) {
  std::vector<std::string> present;
  for (const Curve& curve : curves) {
    add_new(present, curve.arm);
    add_new(schedules, curve.schedule);
  }
  for (const ArmDescription& arm : report.arms)
    if (std::count(present.begin(), present.end(), arm.name)) add_new(arms, arm.name);
  for (const std::string& arm : present)
    if (arm == report.baseline) add_new(arms, arm);
  for (const std::string& arm : present) add_new(arms, arm);
  for (const ResultRow& row : report.rows)
    if (row.words > 0 && row.words < 5000) decimals = 1;
}

// Calls visit(schedule, set, curves of the arms in order) for every set of every schedule.
template <class Visit>
void for_places(const Context& context, Visit visit) {
  std::vector<std::pair<std::string, std::string>> places;
  for (const Curve& curve : context.curves) add_new(places, std::pair(curve.schedule, curve.set));
  for (const auto& [schedule, set] : places) {
    std::vector<const Curve*> curves;
    for (const std::string& arm : context.arms)
      if (const Curve* curve = find_curve(context.curves, schedule, set, arm))
        curves.push_back(curve);
    visit(schedule, set, curves);
  }
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

// ---- sections ----------------------------------------------------------------------------------

Cell wer_cell(const Context& context, const CurvePoint* point) {
  if (!point) return {"–"};
  std::string text = context.rate(point->wer);
  if (point->by_seed.size() > 1) text += " ± " + context.rate(point->spread);
  return {text};
}

Table wer_table(const Context& context, const std::string& title,
                const std::vector<const Curve*>& curves) {
  const std::vector<double> epochs = shown_epochs(context.report, curves);
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

std::string seeds_note(const Context& context) {
  size_t least = SIZE_MAX, most = 0;
  for (const Curve& curve : context.curves) {
    least = std::min(least, curve.seeds.size());
    most = std::max(most, curve.seeds.size());
  }
  if (most <= 1)
    return "One run an arm: no spread over seeds is known. The best of a column is bold.";
  const std::string seeds =
      least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most);
  return fmt::format(
      "Mean ± sample standard deviation over {} seeds. The best mean of a column is bold.", seeds);
}

Section wer_section(const Context& context) {
  Section section{"wer", "Word error rates", "WER in percent by epochs of training. ", {}, {}};
  section.text += seeds_note(context);
  for_places(context, [&](const std::string& schedule, const std::string& set, const auto& curves) {
    section.tables.push_back(wer_table(context, context.place(schedule, set), curves));
  });
  return section;
}

Table arms_table(const Context& context) {
  Table table{"", {"arm", "started from"}, {}};
  table.label_columns = 2;
  table.wraps = true;
  for (const std::string& arm : context.arms)
    for (const ArmDescription& description : context.report.arms)
      if (description.name == arm && !description.description.empty())
        table.rows.push_back({{context.label(arm)}, {description.description}});
  return table;
}

Section arms_section(const Context& context) {
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
  return low > 0 && high > 2.5 * low;
}

Series curve_series(const Curve& curve, Scale scale, double unit, std::string name, size_t colour) {
  Series series{std::move(name), colour, {}, {}, {}, {}};
  for (const CurvePoint& point : curve.points) {
    series.x.push_back(position(point, scale) / unit);
    series.y.push_back(point.wer);
    if (point.by_seed.size() < 2) continue;
    series.low.push_back(point.low);
    series.high.push_back(point.high);
  }
  return series;
}

Chart curve_chart(const Context& context, const std::vector<const Curve*>& curves, Scale scale,
                  const std::string& title) {
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
              context.decimals};
  // The baseline comes first, so that it lies below the others.
  for (const bool baseline : {true, false})
    for (const Curve* curve : curves)
      if ((curve->arm == context.report.baseline) == baseline)
        chart.series.push_back(curve_series(*curve, scale, unit.seconds, context.label(curve->arm),
                                            context.colour(curve->arm)));
  return chart;
}

Section curve_section(const Context& context) {
  Section section{"curves", "Learning curves", "", {}, {}};
  bool has_bands = false, has_logarithm = false;
  for_places(context, [&](const std::string& schedule, const std::string& set, const auto& curves) {
    const std::string place = context.place(schedule, set);
    section.charts.push_back(curve_chart(context, curves, Scale::epochs, place + ", by epochs"));
    const auto timed = [](const Curve* c) { return has_scale(*c, Scale::training_time); };
    if (std::all_of(curves.begin(), curves.end(), timed))
      section.charts.push_back(
          curve_chart(context, curves, Scale::training_time, place + ", by training time"));
    has_logarithm |= section.charts.back().log_y;
    for (const Curve* curve : curves) has_bands |= curve->seeds.size() > 1;
  });
  section.text = has_bands
                     ? "Lines are means over seeds, bands reach from the best to the worst seed. "
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
    return e.relative_reduction ? number(-100 * *e.relative_reduction, 1) : "–";
  });
}

Table final_table(const Context& context) {
  Table table{fmt::format("Until the last WER of {}", context.label(context.report.baseline)),
              {"arm", "set", "WER", "epochs", "speed-up", "in training time", "in total compute"},
              {}};
  table.label_columns = 2;
  for_places(context, [&](const std::string& schedule, const std::string& set, const auto& curves) {
    const Curve* baseline = find_curve(context.curves, schedule, set, context.report.baseline);
    if (!baseline) return;
    for (const Curve* arm : curves) {
      if (arm == baseline) continue;
      const Crossing crossing = find_crossing(*arm, baseline->points.back().wer, Scale::epochs);
      const auto ratio = [&](Scale scale) {
        return ratio_text(speed_up_to_end(*arm, *baseline, scale));
      };
      table.rows.push_back({{context.label(arm->arm)},
                            {context.place(schedule, set)},
                            {context.rate(baseline->points.back().wer)},
                            {bound_sign(crossing.bound) + fmt::format("{:.3g}", crossing.position)},
                            {ratio(Scale::epochs)},
                            {ratio(Scale::training_time)},
                            {ratio(Scale::compute)}});
    }
  });
  return table;
}

Section speed_section(const Context& context) {
  Section section{
      "speed",
      "Speed-up",
      fmt::format(
          "Where {0} reaches the error rate that an arm has at an epoch, over where the arm "
          "has it: 2× means that {0} needs twice as much. {0}'s curve is read between "
          "evaluations along straight lines, and a crossing has to hold for two evaluations. "
          "≥ stands where {0} has not got there, or only at its last evaluation; ≤ where it "
          "was there at its first. Total compute counts the teacher too.",
          context.label(context.report.baseline)),
      {},
      {}};
  for_places(context, [&](const std::string& schedule, const std::string& set, const auto& curves) {
    const Curve* baseline = find_curve(context.curves, schedule, set, context.report.baseline);
    if (!baseline) return;
    const std::vector<double> epochs = shown_epochs(context.report, curves);
    Table table{context.place(schedule, set), epoch_columns({"arm", "at epoch"}, epochs), {}};
    table.label_columns = 2;
    for (const Curve* arm : curves)
      if (arm != baseline) add_speed_up(table, context.label(arm->arm), *arm, *baseline, epochs);
    if (!table.rows.empty()) section.tables.push_back(table);
  });
  if (Table table = final_table(context); !table.rows.empty()) section.tables.push_back(table);
  return section;
}

std::vector<Cell> difference_row(const Context& context, const ArmDifference& entry, bool primary) {
  const Difference& difference = entry.difference;
  return {
      {fmt::format("{} − {}{}", context.label(entry.comparison.second),
                   context.label(entry.comparison.first), primary ? " (primary)" : ""),
       primary},
      {fmt::format("{}, epoch {:g}", context.place(entry.comparison.schedule, entry.comparison.set),
                   *entry.comparison.epoch)},
      {context.rate(entry.first_wer) + " → " + context.rate(entry.second_wer)},
      {number(difference.mean, 2), primary},
      {fmt::format("{} to {}", number(difference.interval.low, 2),
                   number(difference.interval.high, 2))},
      {number(100 * entry.relative(), 1) + " %"},
      {p_text(difference.p_value)},
      {primary ? "–" : p_text(entry.adjusted_p)}};
}

Section difference_section(const Context& context) {
  const Differences& differences = context.report.differences;
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

Table stability_table(const Context& context) {
  const StudyReport& report = context.report;
  Table table{
      fmt::format("The first {} updates", report.first_updates),
      {"arm", "mean norm", "spread of log norm", "change from update to update"},
      {},
      "Geometric mean of the norm; standard deviation of its natural logarithm; mean absolute "
      "change of the logarithm between records. Means over seeds."};
  for (const GradientStability& entry : gradient_stability(report.gradients, report.first_updates))
    table.rows.push_back({{context.place(entry.schedule, context.label(entry.arm))},
                          {fmt::format("{:.3g}", entry.level)},
                          {number(entry.spread, 3)},
                          {number(entry.change, 3)}});
  return table;
}

Section gradient_section(const Context& context) {
  Section section{
      "gradients",
      "Gradients",
      "The norm of the whole gradient before clipping, on a logarithmic scale: geometric "
      "mean over seeds, the band from the least to the greatest seed.",
      {},
      {}};
  const std::vector<GradientCurve> curves = gradient_curves(context.report.gradients);
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

Section teacher_section(const Context& context) {
  Section section{"teacher", "The teacher", "", {}, {}};
  const std::vector<Curve> curves = learning_curves(context.report.teacher);
  Chart chart{"WER of the teacher", "epochs", "WER, %", {}, false, context.decimals};
  std::vector<const Curve*> pointers;
  for (const Curve& curve : curves) {
    pointers.push_back(&curve);
    chart.series.push_back(
        curve_series(curve, Scale::epochs, 1, curve.set, chart.series.size() + 1));
  }
  if (pointers.empty()) return section;
  chart.log_y = wants_logarithm(pointers);
  section.charts.push_back(chart);
  for (const Curve& curve : curves) {
    const CurvePoint& last = curve.points.back();
    section.text +=
        fmt::format("On {}: {} % after {:g} epochs", curve.set, context.rate(last.wer), last.epoch);
    if (last.training_seconds > 0)
      section.text += fmt::format(" ({} of training)", seconds_text(last.training_seconds));
    section.text += ". ";
  }
  return section;
}

// WER of an arm's last evaluations on the utterances that are, or are not, among `ids`.
std::string part_rate(const Context& context, const Curve& curve, const std::set<std::string>& ids,
                      bool among) {
  double errors = 0, words = 0;
  for (const ResultRow& row : context.report.rows) {
    if (row.schedule != curve.schedule || row.set != curve.set || row.arm != curve.arm ||
        std::abs(row.epoch - curve.points.back().epoch) > 1e-6)
      continue;
    for (const UtteranceErrors& utterance : row.utterances)
      if (ids.contains(utterance.id) == among) {
        errors += static_cast<double>(utterance.errors);
        words += static_cast<double>(utterance.words);
      }
  }
  return words > 0 ? context.rate(100 * errors / words) : "–";
}

Section seen_section(const Context& context) {
  Section section{"seen",
                  "Sentences that also occur in training",
                  "Some sentences of a test set are also said, by other speakers, in the training "
                  "data. A recogniser may know them by heart, so they are reported apart: WER in "
                  "percent at the last evaluation.",
                  {},
                  {}};
  for_places(context, [&](const std::string& schedule, const std::string& set, const auto& curves) {
    const auto seen = context.report.seen_sentences.find(set);
    if (seen == context.report.seen_sentences.end() || seen->second.empty()) return;
    Table table{context.place(schedule, set),
                {"arm", "all", fmt::format("also in training ({})", seen->second.size()), "new"},
                {}};
    for (const Curve* curve : curves)
      table.rows.push_back({{context.label(curve->arm)},
                            {context.rate(curve->points.back().wer)},
                            {part_rate(context, *curve, seen->second, true)},
                            {part_rate(context, *curve, seen->second, false)}});
    section.tables.push_back(table);
  });
  return section;
}

Section tuning_section(const Context& context) {
  Section section{"tuning",
                  "Tuning",
                  "Every arm had the same grid and the same number of trials, on development data "
                  "only. The setting chosen is bold.",
                  {},
                  {}};
  std::vector<std::string> settings;
  std::vector<std::pair<std::string, std::string>> arms;
  for (const TuningRow& row : context.report.tuning) {
    add_new(settings, row.setting);
    add_new(arms, std::pair(row.schedule, row.arm));
  }
  if (arms.empty()) return section;
  Table table{"WER on the development set, %", {"arm"}, {}};
  table.columns.insert(table.columns.end(), settings.begin(), settings.end());
  for (const auto& [schedule, arm] : arms) {
    table.rows.push_back({{context.place(schedule, context.label(arm))}});
    table.rows.back().resize(settings.size() + 1, {"–"});
    for (const TuningRow& row : context.report.tuning)
      if (row.schedule == schedule && row.arm == arm) {
        const auto column = std::find(settings.begin(), settings.end(), row.setting);
        table.rows.back()[static_cast<size_t>(column - settings.begin()) + 1] = {
            context.rate(row.wer), row.chosen};
      }
  }
  section.tables.push_back(table);
  return section;
}

Section check_section(const Context& context) {
  Section section{"checks", "Self-checks", "", {}, {}};
  Table table{"", {"", "check", "found"}, {}};
  table.label_columns = 3;
  table.wraps = true;
  int64_t passed = 0;
  for (const SelfCheck& check : context.report.checks) {
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

// ---- the headline ------------------------------------------------------------------------------

std::string epochs_text(double epochs) {
  return fmt::format("{:g} {}", epochs, epochs == 1 ? "epoch" : "epochs");
}

std::string primary_headline(const Context& context, const ArmDifference& primary) {
  const Interval& interval = primary.difference.interval;
  const double mean = primary.difference.mean;
  const std::string first = context.label(primary.comparison.first);
  const std::string second = context.label(primary.comparison.second);
  const std::string place = context.place(primary.comparison.schedule, primary.comparison.set);
  const double confidence = 100 * context.report.differences.options.confidence;
  if (interval.low <= 0 && interval.high >= 0)
    return fmt::format(
        "After {}, {} ({} %) and {} ({} %) cannot be told apart on {}: the difference is {} points "
        "of WER, with a {:g} % interval from {} to {}.",
        epochs_text(*primary.comparison.epoch), second, context.rate(primary.second_wer), first,
        context.rate(primary.first_wer), place, number(mean, 1), confidence,
        number(interval.low, 1), number(interval.high, 1));
  const bool less = mean < 0;
  return fmt::format(
      "After {}, {} makes {} % word errors on {} where {} makes {} %: {} points {} ({:g} % "
      "interval "
      "{} to {}).",
      epochs_text(*primary.comparison.epoch), second, context.rate(primary.second_wer), place,
      first, context.rate(primary.first_wer), number(std::abs(mean), 1), less ? "less" : "more",
      confidence, number(less ? -interval.high : interval.low, 1),
      number(less ? -interval.low : interval.high, 1));
}

std::string better_or_worse(double reduction) {
  return fmt::format("{} % {}", number(100 * std::abs(reduction), 1),
                     reduction >= 0 ? "lower" : "higher");
}

std::string speed_headline(const std::string& arm, const std::string& baseline,
                           const std::string& place, const std::vector<SpeedUp>& entries) {
  const SpeedUp& first = entries.front();
  const SpeedUp& last = entries.back();
  if (!first.epochs || !first.relative_reduction) return "";
  std::string text = fmt::format(
      "On {}, the WER of {} is {} than that of {} after {}, for which {} needs {}{} times as many "
      "epochs",
      place, arm, better_or_worse(*first.relative_reduction), baseline, epochs_text(first.epoch),
      baseline,
      first.epochs->bound == Bound::exact      ? ""
      : first.epochs->bound == Bound::at_least ? "at least "
                                               : "at most ",
      number(first.epochs->value, 2));
  if (entries.size() > 1 && last.relative_reduction)
    text += fmt::format("; after {} it is {}", epochs_text(last.epoch),
                        better_or_worse(*last.relative_reduction));
  return text + ".";
}

// The arm, set and baseline that headline and key figures are about.
struct Focus {
  const Curve* arm = nullptr;
  const Curve* baseline = nullptr;
};

Focus focus_of(const Context& context) {
  if (const auto& primary = context.report.differences.primary) {
    const Comparison& c = primary->comparison;
    return {find_curve(context.curves, c.schedule, c.set, c.second),
            find_curve(context.curves, c.schedule, c.set, c.first)};
  }
  Focus focus;
  for_places(context, [&](const std::string& schedule, const std::string& set, const auto& curves) {
    const Curve* baseline = find_curve(context.curves, schedule, set, context.report.baseline);
    for (const Curve* curve : curves)
      if (!focus.arm && baseline && curve != baseline) focus = {curve, baseline};
  });
  return focus;
}

}  // namespace

std::string headline(const StudyReport& report) {
  const Context context(report);
  if (report.differences.primary) return primary_headline(context, *report.differences.primary);
  const Focus focus = focus_of(context);
  if (!focus.arm) return "";
  const std::vector<SpeedUp> entries = speed_up(*focus.arm, *focus.baseline);
  if (entries.empty()) return "";
  return speed_headline(context.label(focus.arm->arm), context.label(focus.baseline->arm),
                        context.place(focus.arm->schedule, focus.arm->set), entries);
}

std::vector<KeyFigure> key_figures(const StudyReport& report) {
  const Context context(report);
  std::vector<KeyFigure> figures;
  if (const auto& primary = report.differences.primary) {
    figures.push_back(
        {number(primary->difference.mean, 1),
         fmt::format("points of WER, {} to {}", number(primary->difference.interval.low, 1),
                     number(primary->difference.interval.high, 1))});
    figures.push_back({number(100 * primary->relative(), 0) + " %", "relative change of WER"});
  }
  const Focus focus = focus_of(context);
  if (!focus.arm || !focus.baseline) return figures;
  const std::string baseline = context.label(focus.baseline->arm);
  const auto add_end = [&](Scale scale, const char* in) {
    if (const auto ratio = speed_up_to_end(*focus.arm, *focus.baseline, scale))
      figures.push_back(
          {ratio_text(ratio), fmt::format("speed-up in {} to the last WER of {}", in, baseline)});
  };
  const std::vector<SpeedUp> entries = speed_up(*focus.arm, *focus.baseline);
  if (!report.differences.primary)
    for (size_t i = 0; i < std::min<size_t>(entries.size(), 3); ++i)
      figures.push_back(
          {ratio_text(entries[i].epochs), fmt::format("speed-up at epoch {:g}", entries[i].epoch)});
  add_end(Scale::epochs, "epochs");
  add_end(Scale::training_time, "training time");
  return figures;
}

std::vector<Section> report_sections(const StudyReport& report) {
  const Context context(report);
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
