// Line charts as inline SVG.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace scion {

/// One line, with a band around it where `low` and `high` are given.
struct Series {
  std::string name;
  size_t colour = 0;  ///< 0: the neutral one, for a baseline
  std::vector<double> x, y, low, high;
  bool dashed = false;
};

struct Chart {
  std::string title, x_label, y_label;
  std::vector<Series> series;
  bool log_y = false;
  int y_decimals = 2;  ///< in what a pointer shows
};

/// A <figure> with an <svg> that names each line at its end. Colours are the style variables
/// --series-0 … --series-7; `data-chart` holds the points for the page's script. Points that
/// are not finite (or not positive on a logarithmic scale) are left out; "" when none is left.
std::string chart_html(const Chart& chart);

/// The name or, of a longer one, its first characters and an ellipsis: `longest` in all.
std::string shortened(const std::string& name, size_t longest);

/// Round numbers in [low, high], about `count` of them; low < high.
std::vector<double> linear_ticks(double low, double high, int count);
/// Round numbers in [low, high], evenly spaced on a logarithmic scale as far as that is possible;
/// 0 < low < high.
std::vector<double> log_ticks(double low, double high);

}  // namespace scion
