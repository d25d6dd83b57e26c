// Dot plots as inline SVG: one row per arm, panels side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace scion {

/// A mean with its interval and the individual values.
struct Dot {
  double value = 0;
  double low = 0, high = 0;         ///< equal to the value if there is no interval
  std::vector<double> points = {};  ///< the individual values, as small marks
};

struct DotPanel {
  std::string title, x_label;
  std::optional<double> reference;       ///< a vertical line, e.g. at zero difference
  std::vector<std::optional<Dot>> dots;  ///< one per row
};

struct DotRow {
  std::string name;
  bool heading = false;  ///< a heading of the rows below, without dots
  size_t colour = 1;     ///< as in charts
};

struct DotPlot {
  std::string title;
  std::vector<DotRow> rows;
  std::vector<DotPanel> panels;  ///< side by side
};

/// A <figure> with an <svg>; "" if no panel has a finite dot.
std::string dot_plot_html(const DotPlot& plot);

}  // namespace scion
