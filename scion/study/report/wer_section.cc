// Word error rates by epoch, as tables.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/section_parts.h"
#include "scion/study/report/sections.h"

namespace scion {
namespace {

Cell wer_cell(const ReportContext& context, const CurvePoint* point) {
  if (!point) return {"–"};
  std::string text = context.rate(point->wer);
  if (point->by_run.size() > 1) text += " ± " + context.rate(point->spread);
  return {text};
}

Table wer_table(const ReportContext& context, const ReportContext::SetCurves& here) {
  const std::vector<double> epochs = shown_epochs(context.report(), here.curves);
  const bool averaged = std::any_of(here.curves.begin(), here.curves.end(),
                                    [](const Curve* curve) { return curve->averaged.has_value(); });
  Table table{context.set_text(here.budget, here.set), epoch_columns({"epoch"}, epochs), {}};
  if (averaged) table.columns.emplace_back("end, averaged");
  std::vector<std::pair<size_t, const Curve*>> rows;
  add_by_factor(context, table, [&](const std::string& arm) {
    const Curve* curve = here.curve(arm);
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
    // Values that print the same are marked alike.
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
  if (most <= 1)
    return "One run per arm, so the spread is unknown. The best of each column is bold.";
  const std::string runs =
      least == most ? fmt::format("{}", most) : fmt::format("{} to {}", least, most);
  return fmt::format(
      "Mean ± sample standard deviation over {} runs (seeds, or teachers × seeds). The best mean "
      "of "
      "each column is bold.",
      runs);
}

// The final WER of every arm in budgets of different lengths: one table per set.
std::vector<Table> budget_tables(const ReportContext& context) {
  std::vector<Table> tables;
  std::vector<std::string> sets;
  if (context.budgets().size() < 2) return tables;
  for (const ReportContext::SetCurves& here : context.set_curves()) add_new(sets, here.set);
  for (const std::string& set : sets) {
    Table table{set + ", at the end of each budget", {"budget"}, {}};
    for (const std::string& budget : context.budgets()) table.columns.push_back(budget);
    add_by_factor(context, table, [&](const std::string& arm) {
      table.rows.push_back({{context.label(arm)}});
      for (const std::string& budget : context.budgets()) {
        const Curve* curve = context.curve(budget, set, arm);
        table.rows.back().push_back(wer_cell(context, curve ? &curve->points.back() : nullptr));
      }
    });
    tables.push_back(table);
  }
  return tables;
}

}  // namespace

Section wer_section(const ReportContext& context) {
  Section section{"wer", "Word error rates", "WER in percent by epochs of training. ", {}, {}};
  section.text += runs_note(context);
  for (const ReportContext::SetCurves& here : context.set_curves())
    section.tables.push_back(wer_table(context, here));
  for (Table& table : budget_tables(context)) section.tables.push_back(std::move(table));
  return section;
}

}  // namespace scion
