// Speed-up: how much earlier the arms reach the error rates of their baselines.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/section_parts.h"
#include "scion/study/report/sections.h"

namespace scion {
namespace {

std::string students_text(const std::optional<Ratio>& students) {
  if (!students) return "–";
  if (std::isinf(students->value)) return "never";
  return bound_sign(students->bound) + number_text(std::ceil(students->value - 1e-9), 0);
}

// Appends a row unless all its values are unknown.
template <class Text>
void add_measure(Table& table, const std::string& label, const std::string& measure,
                 const std::vector<const SpeedUp*>& entries, Text text) {
  std::vector<Cell> row = {{label}, {measure}};
  for (const SpeedUp* entry : entries) row.push_back({entry ? text(*entry) : "–"});
  const auto is_unknown = [](const Cell& cell) { return cell.text == "–"; };
  if (!std::all_of(row.begin() + 2, row.end(), is_unknown)) table.rows.push_back(row);
}

// False where the teachers' training took no time that the results know of: they are files.
bool counts_teachers(const ReportContext& context) {
  const std::vector<ResultRow>& rows = context.report().rows;
  return std::any_of(rows.begin(), rows.end(), [](const ResultRow& row) {
    return row.compute_seconds > row.training_seconds;
  });
}

// What the figures of time say of the teachers; "" where there are no teachers or no times.
std::string remark_on_teachers(const ReportContext& context) {
  if (counts_teachers(context))
    return " Total compute includes the teacher, whose cost is recovered after the given number of "
           "students.";
  const std::vector<ResultRow>& rows = context.report().rows;
  const bool timed_with_teacher = std::any_of(rows.begin(), rows.end(), [](const ResultRow& row) {
    return row.teacher != 0 && row.training_seconds > 0;
  });
  return timed_with_teacher ? " The teacher's training is not counted." : "";
}

// Which rows an arm has beside the one in epochs.
struct Measures {
  bool any = true, compute = true;
};

// Adds the rows of one arm.
void add_speed_up(Table& table, const std::string& label, const Curve& arm, const Curve& baseline,
                  const std::vector<double>& epochs, const Measures& measures) {
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
  if (!measures.any) return;
  add_measure(table, "", "in training time", entries,
              [](const SpeedUp& e) { return ratio_text(e.training_time); });
  if (measures.compute)
    add_measure(table, "", "in total compute", entries,
                [](const SpeedUp& e) { return ratio_text(e.compute); });
  add_measure(table, "", "students that pay for the teacher", entries,
              [](const SpeedUp& e) { return students_text(e.students_to_pay_back); });
  add_measure(table, "", "WER against the same epoch, %", entries, [](const SpeedUp& e) {
    return e.relative_reduction ? number_text(-100 * *e.relative_reduction, 1) : "–";
  });
}

// Drops columns without any value, such as times if the results have none.
void drop_unknown_columns(Table& table) {
  for (size_t i = table.columns.size(); i-- > 0;) {
    const auto is_unknown = [&](const std::vector<Cell>& row) { return row[i].text == "–"; };
    if (table.rows.empty() || !std::all_of(table.rows.begin(), table.rows.end(), is_unknown))
      continue;
    table.columns.erase(table.columns.begin() + static_cast<std::ptrdiff_t>(i));
    for (auto& row : table.rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// True if some arm is not compared with the report's baseline.
bool has_own_baselines(const ReportContext& context) {
  return std::any_of(context.arms().begin(), context.arms().end(), [&](const std::string& arm) {
    return context.baseline_of(arm) != context.report().baseline;
  });
}

Table final_table(const ReportContext& context) {
  Table table{
      fmt::format("Until the last WER of {}", has_own_baselines(context)
                                                  ? "the arm's baseline"
                                                  : context.label(context.report().baseline)),
      {"arm", "set", "WER", "at epoch", "in epochs", "in training time", "in total compute"},
      {}};
  table.label_columns = 2;
  const bool compute = counts_teachers(context);
  for (const ReportContext::SetCurves& here : context.set_curves())
    for (const Curve* arm : here.curves) {
      const Curve* baseline = here.curve(context.baseline_of(arm->arm));
      if (baseline == nullptr || arm == baseline) continue;
      const double wer = baseline->points.back().wer;
      const Crossing crossing = find_crossing(*arm, wer, Scale::epochs);
      const auto ratio = [&](Scale scale) {
        return Cell{ratio_text(speed_up_to_end(*arm, *baseline, scale))};
      };
      table.rows.push_back({{context.label(arm->arm)},
                            {context.set_text(here.budget, here.set)},
                            {context.rate(wer)},
                            {bound_sign(crossing.bound) + number_text(crossing.position, 1)},
                            ratio(Scale::epochs),
                            ratio(Scale::training_time),
                            compute ? ratio(Scale::compute) : Cell{"–"}});
    }
  drop_unknown_columns(table);
  return table;
}

}  // namespace

Section speed_section(const ReportContext& context) {
  Section section{
      "speed",
      "Speed-up",
      fmt::format(
          "How much more {0} needs to reach the error rate that an arm has at an epoch: 2× "
          "is twice as much. Curves are interpolated linearly between evaluations, and a "
          "crossing must hold for two evaluations. ≥: {0} does not reach the rate, or only at its "
          "last evaluation; ≤: it has reached it by its first.{1}",
          has_own_baselines(context) ? "the arm's baseline"
                                     : context.label(context.report().baseline),
          remark_on_teachers(context)),
      {},
      {}};
  const Measures measures{!context.has_many_arms(), counts_teachers(context)};
  for (const ReportContext::SetCurves& here : context.set_curves()) {
    const std::vector<double> epochs = shown_epochs(context.report(), here.curves);
    Table table{
        context.set_text(here.budget, here.set) + (measures.any ? "" : ", in epochs at an epoch"),
        epoch_columns(measures.any ? std::vector<std::string>{"arm", "at epoch"}
                                   : std::vector<std::string>{"arm", ""},
                      epochs),
        {}};
    table.label_columns = 2;
    add_by_factor(context, table, [&](const std::string& arm) {
      const Curve* curve = here.curve(arm);
      const Curve* baseline = here.curve(context.baseline_of(arm));
      if (curve && baseline && curve != baseline)
        add_speed_up(table, context.label(arm), *curve, *baseline, epochs, measures);
    });
    if (!table.rows.empty()) section.tables.push_back(table);
  }
  if (Table table = final_table(context); !table.rows.empty()) section.tables.push_back(table);
  return section;
}

}  // namespace scion
