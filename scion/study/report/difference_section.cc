// Differences between arms, with confidence intervals.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/section_parts.h"
#include "scion/study/report/sections.h"

namespace scion {
namespace {

std::string p_text(double p) { return p < 0.001 ? "< 0.001" : number_text(p, 3); }

// "epoch 4", "epoch 20, averaged weights".
std::string evaluation_text(const Comparison& comparison) {
  return fmt::format("epoch {:g}{}", *comparison.epoch,
                     comparison.weights == Weights::averaged ? ", averaged weights" : "");
}

// "full, clean, epoch 4", and the evaluation of the baseline if it is another one.
std::string where_text(const ReportContext& context, const Comparison& comparison) {
  const std::string of_arm =
      context.set_text(comparison.budget, comparison.set) + ", " + evaluation_text(comparison);
  if (!comparison.crosses_budgets() && comparison.baseline_epoch == comparison.epoch) return of_arm;
  return fmt::format("{} − {}epoch {:g}", of_arm,
                     comparison.crosses_budgets() ? comparison.budget_of_baseline() + ", " : "",
                     *comparison.baseline_epoch);
}

std::vector<Cell> difference_row(const ReportContext& context, const ArmDifference& entry,
                                 bool primary) {
  const Difference& difference = entry.difference;
  return {{fmt::format("{} − {}{}", context.label(entry.comparison.arm),
                       context.label(entry.comparison.baseline), primary ? " (primary)" : ""),
           primary},
          {where_text(context, entry.comparison)},
          {context.rate(entry.baseline_wer) + " → " + context.rate(entry.arm_wer)},
          {number_text(difference.mean, 2), primary},
          {fmt::format("{} to {}", number_text(difference.interval.low, 2),
                       number_text(difference.interval.high, 2))},
          {number_text(100 * entry.relative(), 1) + " %"},
          {p_text(difference.p_value)},
          {primary ? "–" : p_text(entry.adjusted_p)}};
}

// "2 teachers × 3 seeds × 10 speakers": the factors that the bootstrap draws.
std::string drawn_text(const ArmDifference& entry) {
  std::string text;
  if (entry.paired_teachers)
    text = fmt::format("{} seeds, each with its own teacher", entry.seeds);
  else if (entry.teachers > 1)
    text = fmt::format("{} teachers × {} seeds", entry.teachers, entry.seeds);
  else
    text = fmt::format("{} {}", entry.seeds, entry.seeds == 1 ? "seed" : "seeds");
  return text + fmt::format(" × {} {}", entry.units, entry.by_speaker ? "speakers" : "utterances");
}

// Limits of what the intervals cover.
std::string scope_text(const std::vector<const ArmDifference*>& all) {
  const auto greatest = [&](int64_t ArmDifference::*count) {
    return (*std::max_element(all.begin(), all.end(),
                              [&](const ArmDifference* a, const ArmDifference* b) {
                                return a->*count < b->*count;
                              }))
               ->*count;
  };
  std::string text;
  if (greatest(&ArmDifference::teachers) == 1)
    text +=
        " All selected students have the same teacher, so the intervals do not cover other "
        "teachers.";
  if (greatest(&ArmDifference::seeds) < 4)
    text += " With fewer than 4 seeds, the intervals are rough.";
  return text;
}

Table difference_table(const ReportContext& context, std::string title) {
  Table table{
      std::move(title),
      {"comparison", "where", "WER, %", "difference",
       fmt::format("{:g} % interval", 100 * context.report().differences.options.confidence),
       "relative", "p", "p, Holm"},
      {}};
  table.label_columns = 2;
  return table;
}

// Comparisons listed by the recipe; they may cross budgets.
Table declared_table(const ReportContext& context) {
  Table table =
      difference_table(context, "Comparisons listed by the recipe, p adjusted among them");
  for (const ArmDifference& entry : context.report().differences.declared)
    table.rows.push_back(difference_row(context, entry, false));
  return table;
}

// One table per set and evaluation, with arms grouped by factor.
std::vector<Table> tables_by_set(const ReportContext& context) {
  const std::vector<ArmDifference>& secondary = context.report().differences.secondary;
  std::vector<std::string> titles;
  const auto title_of = [&](const ArmDifference& entry) {
    return context.set_text(entry.comparison.budget, entry.comparison.set) + ", " +
           evaluation_text(entry.comparison);
  };
  for (const ArmDifference& entry : secondary) add_new(titles, title_of(entry));
  std::vector<Table> tables;
  for (const std::string& title : titles) {
    Table table = difference_table(context, title);
    add_by_factor(context, table, [&](const std::string& arm) {
      for (const ArmDifference& entry : secondary)
        if (entry.comparison.arm == arm && title_of(entry) == title) {
          table.rows.push_back(difference_row(context, entry, false));
          table.rows.back().erase(table.rows.back().begin() + 1);
        }
    });
    table.columns.erase(table.columns.begin() + 1);
    table.label_columns = 1;
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace

Section difference_section(const ReportContext& context) {
  const Differences& differences = context.report().differences;
  Section section{"differences", "Differences", "", {}, {}};
  std::vector<const ArmDifference*> all;
  if (differences.primary) all.push_back(&*differences.primary);
  for (const ArmDifference& entry : differences.secondary) all.push_back(&entry);
  const std::vector<const ArmDifference*> by_baseline = all;
  for (const ArmDifference& entry : differences.declared) all.push_back(&entry);
  if (all.empty()) return section;
  section.text = fmt::format(
      "Differences of WER in percentage points; negative means that the arm named first is better. "
      "Intervals ({:g} %) and two-sided p come from {} bootstrap draws of the random factors, with "
      "both arms on the same draw (first comparison: {}). The primary comparison was declared in "
      "advance; the other p are adjusted by Holm's method.{}",
      100 * differences.options.confidence, differences.options.draws, drawn_text(*all.front()),
      scope_text(all));
  Table table = difference_table(context, context.has_many_arms() ? "The primary comparison" : "");
  for (const ArmDifference* entry : by_baseline) {
    const bool is_primary = differences.primary && entry == &*differences.primary;
    if (is_primary || !context.has_many_arms())
      table.rows.push_back(difference_row(context, *entry, is_primary));
  }
  if (!table.rows.empty()) section.tables.push_back(table);
  if (!differences.declared.empty()) section.tables.push_back(declared_table(context));
  if (context.has_many_arms())
    for (Table& of_set : tables_by_set(context)) section.tables.push_back(std::move(of_set));
  return section;
}

}  // namespace scion
