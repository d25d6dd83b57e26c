// One section of a report, before it becomes a page or text.
#pragma once

#include <string>
#include <vector>

#include "scion/study/chart.h"
#include "scion/study/dots.h"
#include "scion/study/table.h"

namespace scion {

struct Section {
  std::string id, title, text;
  std::vector<Table> tables;
  std::vector<Chart> charts;
  std::vector<DotPlot> dots = {};
};

}  // namespace scion
