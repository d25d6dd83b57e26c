#include "scion/study/report/sections.h"

namespace scion {

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
  add(steadiness_section(context));
  add(teacher_section(context));
  add(tuning_section(context));
  add(check_section(context));
  return sections;
}

}  // namespace scion
