#include "scion/study/report/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/section_parts.h"

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

Section arms_section(const ReportContext& context) {
  Section section{"arms", "Arms", "", {}, {}};
  if (Table table = arms_table(context); !table.rows.empty()) section.tables.push_back(table);
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
    add_by_factor(context, table, [&](const std::string& arm) {
      const Curve* curve = place.curve(arm);
      if (curve == nullptr) return;
      table.rows.push_back({{context.label(arm)},
                            {context.rate(curve->points.back().wer)},
                            {part_rate(context, *curve, seen->second, true)},
                            {part_rate(context, *curve, seen->second, false)}});
    });
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
    if (!section.tables.empty() || !section.charts.empty() || !section.dots.empty())
      sections.push_back(std::move(section));
  };
  add(arms_section(context));
  add(overview_section(context));
  add(wer_section(context));
  add(curve_section(context));
  add(speed_section(context));
  add(difference_section(context));
  add(seen_section(context));
  add(optimisation_section(context));
  add(teacher_section(context));
  add(tuning_section(context));
  add(check_section(context));
  return sections;
}

}  // namespace scion
