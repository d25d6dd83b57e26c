// What a report says, in sections.
#pragma once

#include <vector>

#include "scion/study/report/report.h"
#include "scion/study/report/section.h"

namespace scion {

/// All sections that have something to show, in order.
std::vector<Section> report_sections(const StudyReport& report);

}  // namespace scion
