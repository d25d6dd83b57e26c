// What a report says, in sections of tables and charts, before it becomes a page or text.
#pragma once

#include <string>
#include <vector>

#include "scion/study/chart.h"
#include "scion/study/dots.h"
#include "scion/study/report.h"
#include "scion/study/table.h"

namespace scion {

struct Section {
  std::string id, title, text;
  std::vector<Table> tables;
  std::vector<Chart> charts;
  std::vector<DotPlot> dots = {};
};

/// All sections that have something to show, in order.
std::vector<Section> report_sections(const StudyReport& report);

/// A figure that stands out under the headline.
struct KeyFigure {
  std::string value, label;
};
std::vector<KeyFigure> key_figures(const StudyReport& report);

}  // namespace scion
