// One section of a report: text, tables, charts and dot plots, independent of the output format.
#pragma once

#include <string>
#include <vector>

#include "scion/study/report/figures/chart.h"
#include "scion/study/report/figures/dot_plot.h"
#include "scion/study/report/figures/table.h"

namespace scion {

struct Section {
  std::string id, title, text;
  std::vector<Table> tables;
  std::vector<Chart> charts;
  std::vector<DotPlot> dots = {};
};

}  // namespace scion
