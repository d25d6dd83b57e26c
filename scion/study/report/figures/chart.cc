#include "scion/study/report/figures/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "scion/study/report/figures/table.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

constexpr double width = 560, height = 340;
constexpr double left = 46, top = 30, bottom = 44;
constexpr double label_height = 15, character_width = 7;
constexpr size_t longest_label = 22, most_markers = 30, colours = 8;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

bool usable(double value, bool logarithmic) {
  return std::isfinite(value) && (!logarithmic || value > 0);
}

// A series without unusable points.
Series cleaned(const Series& series, bool logarithmic) {
  const bool has_band =
      series.low.size() == series.y.size() && series.high.size() == series.y.size();
  Series result{series.name, series.colour, {}, {}, {}, {}, series.dashed};
  for (size_t i = 0; i < series.y.size(); ++i) {
    if (!std::isfinite(series.x[i]) || !usable(series.y[i], logarithmic)) continue;
    result.x.push_back(series.x[i]);
    result.y.push_back(series.y[i]);
    if (!has_band) continue;
    result.low.push_back(usable(series.low[i], logarithmic) ? series.low[i] : series.y[i]);
    result.high.push_back(usable(series.high[i], logarithmic) ? series.high[i] : series.y[i]);
  }
  return result;
}

// Maps values to positions in the picture.
class Plane {
 public:
  Plane(const std::vector<Series>& series, bool log_y) : log_y_(log_y) {
    double widest = 0;
    for (const Series& one : series) {
      widest = std::max(
          widest, static_cast<double>(split_characters(shortened(one.name, longest_label)).size()));
      for (const double x : one.x) x_.include(x);
      for (const auto* values : {&one.y, &one.low, &one.high})
        for (const double y : *values) y_.include(y);
    }
    right_ = width - 14 - widest * character_width;
    // The axis starts at zero, as training does.
    if (x_.low > 0) x_.low = 0;
    if (x_.high <= x_.low) x_.high = x_.low + 1;
    log_y ? widen_logarithmic() : widen_linear();
  }

  double x(double value) const {
    return left + (value - x_.low) / (x_.high - x_.low) * (right_ - left);
  }
  double y(double value) const {
    const double share = log_y_ ? std::log(value / y_.low) / std::log(y_.high / y_.low)
                                : (value - y_.low) / (y_.high - y_.low);
    return height - bottom - share * (height - bottom - top);
  }
  double right() const { return right_; }
  std::vector<double> x_ticks() const { return linear_ticks(x_.low, x_.high, 6); }
  std::vector<double> y_ticks() const {
    return log_y_ ? log_ticks(y_.low, y_.high) : linear_ticks(y_.low, y_.high, 5);
  }

 private:
  void widen_linear() {
    if (y_.low > 0 && y_.low < 0.6 * y_.high) y_.low = 0;
    const double margin = y_.high > y_.low ? 0.05 * (y_.high - y_.low) : 1;
    if (y_.low != 0) y_.low -= margin;
    y_.high += margin;
  }
  void widen_logarithmic() {
    const double margin = std::pow(y_.high / y_.low, 0.05) * 1.01;
    y_.low /= margin;
    y_.high *= margin;
  }

  Range x_, y_;
  bool log_y_;
  double right_;
};

std::string tick_label(double value) {
  if (value != 0 && (std::abs(value) >= 1e5 || std::abs(value) < 1e-3))
    return fmt::format("{:.0e}", value);
  return fmt::format("{:g}", value);
}

std::string axes_svg(const Chart& chart, const Plane& plane) {
  std::string svg;
  for (const double tick : plane.y_ticks())
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
        left, plane.right(), plane.y(tick), plane.y(tick), left - 8, plane.y(tick) + 4,
        tick_label(tick));
  const double floor = height - bottom;
  svg += fmt::format(
      "<line class=\"axis\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n", left,
      plane.right(), floor, floor);
  for (const double tick : plane.x_ticks())
    svg += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"tick\" x=\"{0:.1f}\" y=\"{3:.1f}\" text-anchor=\"middle\">{4}</text>\n",
        plane.x(tick), floor, floor + 4, floor + 18, tick_label(tick));
  svg += fmt::format("<text class=\"axis-label\" x=\"{:.1f}\" y=\"14\">{}</text>\n", left - 36,
                     escape_html(chart.y_label));
  svg += fmt::format(
      "<text class=\"axis-label\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
      plane.right(), height - 8, escape_html(chart.x_label));
  return svg;
}

std::string band_svg(const Series& series, const Plane& plane) {
  if (series.low.empty()) return "";
  std::string points;
  for (size_t i = 0; i < series.x.size(); ++i)
    points += fmt::format("{:.1f},{:.1f} ", plane.x(series.x[i]), plane.y(series.high[i]));
  for (size_t i = series.x.size(); i-- > 0;)
    points += fmt::format("{:.1f},{:.1f} ", plane.x(series.x[i]), plane.y(series.low[i]));
  points.pop_back();
  return fmt::format("<polygon class=\"band s{}\" points=\"{}\"/>\n", series.colour % colours,
                     points);
}

// Markers differ as well, so that lines can be distinguished without colour.
std::string marker_svg(double x, double y, size_t kind) {
  switch (kind % 4) {
    case 0:
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.8\"/>", x, y);
    case 1:
      return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"5.4\" height=\"5.4\"/>", x - 2.7,
                         y - 2.7);
    case 2:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l3.5 6h-7z\"/>", x, y - 3.8);
    default:
      return fmt::format("<path d=\"M{:.1f} {:.1f}l3.6 3.6l-3.6 3.6l-3.6 -3.6z\"/>", x, y - 3.6);
  }
}

std::string line_svg(const Series& series, const Plane& plane) {
  std::string points, markers;
  for (size_t i = 0; i < series.x.size(); ++i) {
    const double x = plane.x(series.x[i]), y = plane.y(series.y[i]);
    points += fmt::format("{}{:.1f},{:.1f}", i > 0 ? " " : "", x, y);
    if (series.x.size() <= most_markers) markers += marker_svg(x, y, series.colour);
  }
  return fmt::format("<g class=\"s{}\"><polyline class=\"line{}\" points=\"{}\"/>{}</g>\n",
                     series.colour % colours, series.dashed ? " dashed" : "", points, markers);
}

struct Label {
  const Series* series;
  double end, y;  // vertical positions of the line's end and of the name
};

// Moves overlapping names apart as little as possible: the names of a cluster are spaced evenly
// around the mean of their lines' ends. Labels are sorted by their ends.
void spread(std::vector<Label>& labels, double floor) {
  struct Cluster {
    double middle;
    size_t size;
    double first() const { return middle - 0.5 * label_height * static_cast<double>(size - 1); }
    double last() const { return middle + 0.5 * label_height * static_cast<double>(size - 1); }
  };
  std::vector<Cluster> clusters;
  for (const Label& label : labels) {
    Cluster next{label.end, 1};
    while (!clusters.empty() && clusters.back().last() + label_height > next.first()) {
      const double both = static_cast<double>(clusters.back().size + next.size);
      next.middle = (clusters.back().middle * static_cast<double>(clusters.back().size) +
                     next.middle * static_cast<double>(next.size)) /
                    both;
      next.size += clusters.back().size;
      next.middle -= std::max(0.0, next.last() - floor);
      clusters.pop_back();
    }
    clusters.push_back(next);
  }
  size_t next_label = 0;
  for (const Cluster& cluster : clusters)
    for (size_t i = 0; i < cluster.size; ++i)
      labels[next_label++].y = cluster.first() + label_height * static_cast<double>(i);
}

// The names at the ends of the lines.
std::string labels_svg(const std::vector<Series>& series, const Plane& plane) {
  std::vector<Label> labels;
  for (const Series& one : series) labels.push_back({&one, plane.y(one.y.back()), 0});
  std::stable_sort(labels.begin(), labels.end(),
                   [](const Label& a, const Label& b) { return a.end < b.end; });
  spread(labels, height - bottom + 4);
  std::string svg;
  for (const Label& label : labels) {
    const double end = plane.x(label.series->x.back());
    if (std::abs(label.y - label.end) > 4 || plane.right() - end > 4)
      svg += fmt::format("<path class=\"leader\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>", end + 4,
                         label.end, plane.right() + 8, label.y);
    svg += fmt::format("<text class=\"name s{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                       label.series->colour % colours, plane.right() + 10, label.y + 4,
                       escape_html(shortened(label.series->name, longest_label)));
  }
  return svg;
}

// Positions and texts of all points, for the page's script.
std::string points_json(const Chart& chart, const std::vector<Series>& series, const Plane& plane) {
  nlohmann::json lines = nlohmann::json::array();
  for (const Series& one : series) {
    nlohmann::json points = nlohmann::json::array();
    for (size_t i = 0; i < one.x.size(); ++i)
      points.push_back({std::round(10 * plane.x(one.x[i])) / 10, fmt::format("{:.4g}", one.x[i]),
                        fmt::format("{:.{}f}", one.y[i], chart.y_decimals)});
    lines.push_back({{"name", one.name}, {"colour", one.colour % colours}, {"points", points}});
  }
  return nlohmann::json{{"x", chart.x_label}, {"y", chart.y_label}, {"lines", lines}}.dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string shortened(const std::string& name, size_t longest) {
  std::vector<std::string> characters = split_characters(name);
  if (characters.size() <= longest) return name;
  characters.resize(longest - 1);
  return fmt::format("{}…", fmt::join(characters, ""));
}

std::vector<double> linear_ticks(double low, double high, int count) {
  const double rough = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0})
    if (factor * power >= rough) step = factor * power;
  std::vector<double> ticks;
  const double slack = 1e-9 * (high - low);
  for (double i = std::ceil((low - slack) / step); i * step <= high + slack; ++i)
    ticks.push_back(i * step + 0.0);  // never -0
  return ticks;
}

std::vector<double> log_ticks(double low, double high) {
  const std::vector<std::vector<double>> choices = {
      {1}, {1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}, {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9}};
  std::vector<double> ticks;
  for (const std::vector<double>& mantissas : choices) {
    ticks.clear();
    for (double power = std::pow(10, std::floor(std::log10(low))); power <= high; power *= 10)
      for (const double mantissa : mantissas)
        if (mantissa * power >= low && mantissa * power <= high) ticks.push_back(mantissa * power);
    if (ticks.size() >= 4) return ticks;
  }
  return ticks.size() >= 2 ? ticks : linear_ticks(low, high, 5);
}

std::string chart_html(const Chart& chart) {
  std::vector<Series> series;
  for (const Series& one : chart.series) {
    Series clean = cleaned(one, chart.log_y);
    if (!clean.x.empty()) series.push_back(std::move(clean));
  }
  if (series.empty()) return "";
  const Plane plane(series, chart.log_y);
  std::string html = fmt::format(
      "<figure class=\"chart\">\n<figcaption>{0}</figcaption>\n"
      "<svg viewBox=\"0 0 {1:g} {2:g}\" role=\"img\" aria-label=\"{0}\" data-chart=\"{3}\">\n",
      escape_html(chart.title), width, height, escape_html(points_json(chart, series, plane)));
  html += axes_svg(chart, plane);
  for (const Series& one : series) html += band_svg(one, plane);
  for (const Series& one : series) html += line_svg(one, plane);
  html += labels_svg(series, plane);
  html += fmt::format(
      "<line class=\"cursor\" x1=\"0\" x2=\"0\" y1=\"{:g}\" y2=\"{:g}\" visibility=\"hidden\"/>\n",
      top, height - bottom);
  return html + "</svg>\n</figure>\n";
}

}  // namespace scion
