// The sections of a table or two: arms, teacher, tuning, checks.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/section_parts.h"
#include "scion/study/report/sections.h"

namespace scion {
namespace {

std::string seconds_text(double seconds) {
  if (seconds < 120) return number_text(seconds, seconds < 10 ? 1 : 0) + " s";
  return seconds < 7200 ? number_text(seconds / 60, 1) + " min"
                        : number_text(seconds / 3600, 1) + " h";
}

Table arms_table(const ReportContext& context) {
  Table table{"", {"arm", "started from"}, {}};
  table.label_columns = 2;
  table.wraps = true;
  add_by_factor(context, table, [&](const std::string& arm) {
    for (const ArmDescription& description : context.report().arms)
      if (description.name == arm && !description.description.empty())
        table.rows.push_back({{context.label(arm)}, {description.description}});
  });
  return table;
}

}  // namespace

Section arms_section(const ReportContext& context) {
  Section section{"arms", "Arms", "", {}, {}};
  if (Table table = arms_table(context); !table.rows.empty()) section.tables.push_back(table);
  return section;
}

Section teacher_section(const ReportContext& context) {
  Section section{"teacher", "The teacher", "", {}, {}};
  const std::vector<Curve> curves = learning_curves(context.report().teacher);
  if (curves.empty()) return section;
  const auto trained_elsewhere = [](const Curve& curve) { return curve.points.back().epoch == 0; };
  if (std::all_of(curves.begin(), curves.end(), trained_elsewhere)) {
    Table table{"", {"set", "WER, %"}, {}};
    for (const Curve& curve : curves)
      table.rows.push_back({{curve.set}, {context.rate(curve.points.back().wer)}});
    section.text = "Given, not trained by the study.";
    section.tables.push_back(table);
    return section;
  }
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
  chart.log_y = needs_log_axis(pointers);
  section.charts.push_back(chart);
  section.tables.push_back(table);
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
    add_new(arms, std::pair(row.budget, row.arm));
  }
  if (arms.empty()) return section;
  Table table{"WER on the development set, %", {"arm"}, {}};
  table.columns.insert(table.columns.end(), settings.begin(), settings.end());
  for (const auto& [budget, arm] : arms) {
    table.rows.push_back({{arm_text(context, budget, arm)}});
    table.rows.back().resize(settings.size() + 1, {"–"});
    for (const TuningRow& row : context.report().tuning)
      if (row.budget == budget && row.arm == arm) {
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

}  // namespace scion
