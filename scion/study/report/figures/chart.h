// Line charts as inline SVG.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace scion {

/// One line, with a band around it if `low` and `high` are given.
struct Series {
  std::string name;
  size_t colour = 0;  ///< 0: neutral, for a baseline
  std::vector<double> x, y, low, high;
  bool dashed = false;
};

struct Chart {
  std::string title, x_label, y_label;
  std::vector<Series> series;
  bool log_y = false;
  int y_decimals = 2;  ///< in the tooltip
};

/// A <figure> with an <svg>; each line is labelled at its end. Colours are the style variables
/// --series-0 … --series-7; `data-chart` holds the points for the page's script. Points that are
/// not finite (or not positive on a logarithmic scale) are omitted; "" if none remains.
std::string chart_html(const Chart& chart);

/// The name, truncated with an ellipsis to at most `longest` characters.
std::string shortened(const std::string& name, size_t longest);

/// About `count` round numbers in [low, high]; low < high.
std::vector<double> linear_ticks(double low, double high, int count);
/// Round numbers in [low, high], spaced as evenly on a logarithmic scale as possible; 0 < low <
/// high.
std::vector<double> log_ticks(double low, double high);

}  // namespace scion
