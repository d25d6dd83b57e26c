// Dot plots as inline SVG: one row an arm, one panel a question.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace scion {

/// A value with an interval around it, and what it is the mean of.
struct Dot {
  double value = 0;
  double low = 0, high = 0;         ///< equal to the value where there is no interval
  std::vector<double> points = {};  ///< small marks
};

struct DotPanel {
  std::string title, x_label;
  std::optional<double> reference;       ///< a vertical line, such as no difference
  std::vector<std::optional<Dot>> dots;  ///< one a row
};

struct DotRow {
  std::string name;
  bool heading = false;  ///< of the rows below; has no dots
  size_t colour = 1;     ///< as in charts
};

struct DotPlot {
  std::string title;
  std::vector<DotRow> rows;
  std::vector<DotPanel> panels;  ///< side by side
};

/// A <figure> with an <svg>; "" when no panel has a finite dot.
std::string dot_plot_html(const DotPlot& plot);

}  // namespace scion
