#include "scion/study/report/dot_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/chart.h"
#include "scion/study/report/table.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

constexpr double plot_width = 1104, row_height = 21, panel_gap = 34;
constexpr double head = 34, foot = 40, name_character = 6.9;
constexpr size_t longest_name = 34, dot_colours = 8;

struct Span {
  double low = HUGE_VAL, high = -HUGE_VAL;
  void include(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// One panel's place on the picture.
class PanelPlane {
 public:
  PanelPlane(const DotPanel& panel, double left, double right) : left_(left), right_(right) {
    for (const std::optional<Dot>& dot : panel.dots) {
      if (!dot) continue;
      for (const double value : {dot->value, dot->low, dot->high}) span_.include(value);
      for (const double value : dot->points) span_.include(value);
    }
    if (span_.low > span_.high) return;
    if (panel.reference) span_.include(*panel.reference);
    const double margin = span_.high > span_.low ? 0.04 * (span_.high - span_.low) : 1;
    span_.low -= margin;
    span_.high += margin;
  }

  bool empty() const { return span_.low > span_.high; }
  double left() const { return left_; }
  double right() const { return right_; }
  double x(double value) const {
    return left_ + (value - span_.low) / (span_.high - span_.low) * (right_ - left_);
  }
  std::vector<double> ticks() const { return linear_ticks(span_.low, span_.high, 5); }

 private:
  double left_, right_;
  Span span_;
};

double middle_of(size_t row) { return head + (static_cast<double>(row) + 0.5) * row_height; }

std::string dot_svg(const Dot& dot, const PanelPlane& plane, double y, size_t colour) {
  std::string svg = fmt::format("<g class=\"s{}\">", colour % dot_colours);
  if (dot.high > dot.low)
    svg += fmt::format(
        "<line class=\"whisker\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
        plane.x(dot.low), plane.x(dot.high), y, y);
  for (const double point : dot.points)
    if (std::isfinite(point))
      svg += fmt::format("<circle class=\"mark\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\"/>",
                         plane.x(point), y);
  return svg +
         fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/></g>\n", plane.x(dot.value), y);
}

std::string panel_svg(const DotPlot& plot, const DotPanel& panel, const PanelPlane& plane) {
  const double floor = head + static_cast<double>(plot.rows.size()) * row_height;
  std::string svg = fmt::format("<text class=\"panel\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                                plane.left(), head - 14, escape_html(panel.title));
  for (const double tick : plane.ticks())
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>"
        "<text class=\"tick\" x=\"{0:.1f}\" y=\"{3:.1f}\" text-anchor=\"middle\">{4:g}</text>\n",
        plane.x(tick), head - 4, floor, floor + 16, tick);
  if (panel.reference)
    svg += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>\n",
        plane.x(*panel.reference), head - 4, floor);
  svg += fmt::format(
      "<text class=\"axis-label\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
      plane.right(), floor + 33, escape_html(panel.x_label));
  for (size_t i = 0; i < plot.rows.size(); ++i)
    if (panel.dots[i] && std::isfinite(panel.dots[i]->value))
      svg += dot_svg(*panel.dots[i], plane, middle_of(i), plot.rows[i].colour);
  return svg;
}

}  // namespace

std::string dot_plot_html(const DotPlot& plot) {
  size_t longest = 0;
  for (const DotRow& row : plot.rows)
    longest = std::max(longest, split_characters(shortened(row.name, longest_name)).size());
  const double left = 18 + static_cast<double>(longest) * name_character;
  const double count = static_cast<double>(plot.panels.size());
  const double panel_width = (plot_width - left - 12 - panel_gap * (count - 1)) / count;
  std::string panels;
  for (size_t i = 0; i < plot.panels.size(); ++i) {
    const double begin = left + static_cast<double>(i) * (panel_width + panel_gap);
    const PanelPlane plane(plot.panels[i], begin, begin + panel_width);
    if (!plane.empty()) panels += panel_svg(plot, plot.panels[i], plane);
  }
  if (panels.empty()) return "";
  const double height = head + static_cast<double>(plot.rows.size()) * row_height + foot;
  std::string html = fmt::format(
      "<figure class=\"dots\">\n<figcaption>{0}</figcaption>\n"
      "<svg viewBox=\"0 0 {1:g} {2:g}\" role=\"img\" aria-label=\"{0}\">\n",
      escape_html(plot.title), plot_width, height);
  for (size_t i = 0; i < plot.rows.size(); ++i)
    html += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{:.1f}\">{}</text>\n",
                        plot.rows[i].heading ? "row-heading" : "row-name",
                        plot.rows[i].heading ? 0 : 12, middle_of(i) + 4,
                        escape_html(shortened(plot.rows[i].name, longest_name)));
  return html + panels + "</svg>\n</figure>\n";
}

}  // namespace scion
