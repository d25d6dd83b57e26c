// Lines of a report's charts: which arms share a chart, and in which colours.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "scion/study/report/report_context.h"

namespace scion {

/// The line of an arm in a chart.
struct ChartLine {
  std::string arm;
  size_t colour = 0;
  bool dashed = false;  ///< an arm's own baseline, in the colour of that arm
};

/// The lines of one chart: all arms or, if there are many, some arms of one factor with the
/// report's baseline and the primary arm.
struct ChartLines {
  std::string factor;
  std::vector<ChartLine> lines;
};

std::vector<ChartLines> chart_lines(const ReportContext& context);

}  // namespace scion
