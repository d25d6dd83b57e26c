// The sections of a report: `x_section` is defined in x_section.cc, the short ones in
// small_sections.cc. A section without tables and figures is empty.
#pragma once

#include <vector>

#include "scion/study/report/figures/section.h"
#include "scion/study/report/report.h"
#include "scion/study/report/report_context.h"

namespace scion {

Section overview_section(const ReportContext& context);
Section wer_section(const ReportContext& context);
Section curve_section(const ReportContext& context);
Section speed_section(const ReportContext& context);
Section difference_section(const ReportContext& context);
Section seen_section(const ReportContext& context);
Section steadiness_section(const ReportContext& context);

Section arms_section(const ReportContext& context);
Section teacher_section(const ReportContext& context);
Section tuning_section(const ReportContext& context);
Section check_section(const ReportContext& context);

/// All sections that are not empty, in the order of the report.
std::vector<Section> report_sections(const StudyReport& report);

}  // namespace scion
