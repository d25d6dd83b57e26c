#include "scion/study/report/report_context.h"

#include <fmt/format.h>

namespace scion {

std::string number_text(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.front() != '-') return text;
  text.erase(0, 1);
  return text.find_first_not_of("0.") == std::string::npos ? text : "−" + text;
}

std::string bound_sign(Bound bound) {
  if (bound == Bound::exact) return "";
  return bound == Bound::at_least ? "≥ " : "≤ ";
}

std::string ratio_text(const std::optional<Ratio>& ratio) {
  return ratio ? bound_sign(ratio->bound) + number_text(ratio->value, 2) + "×" : "–";
}

std::string epochs_text(double epochs) {
  return fmt::format("{:g} {}", epochs, epochs == 1 ? "epoch" : "epochs");
}

ReportContext::ReportContext(const StudyReport& report)
    : report_(report), curves_(learning_curves(report.rows)) {
  order_arms();
  find_places();
  group_arms();
  for (const ResultRow& row : report.rows)
    if (row.words > 0 && row.words < 5000) decimals_ = 1;
}

void ReportContext::order_arms() {
  std::vector<std::string> present;
  for (const Curve& curve : curves_) add_new(present, curve.arm);
  const auto is_present = [&](const std::string& arm) {
    return std::find(present.begin(), present.end(), arm) != present.end();
  };
  for (const ArmDescription& arm : report_.arms)
    if (is_present(arm.name)) add_new(arms_, arm.name);
  if (is_present(report_.baseline)) add_new(arms_, report_.baseline);
  for (const std::string& arm : present) add_new(arms_, arm);
}

void ReportContext::find_places() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const Curve& curve : curves_) {
    add_new(schedules_, curve.schedule);
    add_new(names, std::pair(curve.schedule, curve.set));
  }
  for (const auto& [schedule, set] : names) {
    Place place{schedule, set, {}, curve(schedule, set, report_.baseline)};
    for (const std::string& arm : arms_)
      if (const Curve* found = curve(schedule, set, arm)) place.curves.push_back(found);
    places_.push_back(std::move(place));
  }
}

void ReportContext::group_arms() {
  for (const std::string& arm : arms_) {
    std::string factor;
    for (const ArmDescription& description : report_.arms)
      if (description.name == arm) factor = description.factor;
    auto group = std::find_if(groups_.begin(), groups_.end(),
                              [&](const Group& known) { return known.factor == factor; });
    if (group == groups_.end()) group = groups_.insert(group, {factor, {}});
    group->arms.push_back(arm);
  }
}

const Curve* ReportContext::Place::curve(const std::string& arm) const {
  for (const Curve* found : curves)
    if (found->arm == arm) return found;
  return nullptr;
}

const std::string& ReportContext::baseline_of(const std::string& arm) const {
  for (const ArmDescription& description : report_.arms)
    if (description.name == arm && !description.baseline.empty()) return description.baseline;
  return report_.baseline;
}

bool ReportContext::is_baseline(const std::string& arm) const {
  return std::any_of(arms_.begin(), arms_.end(),
                     [&](const std::string& other) { return baseline_of(other) == arm; });
}

std::string ReportContext::primary() const {
  return report_.differences.primary ? report_.differences.primary->comparison.second : "";
}

ReportContext::ChartLines ReportContext::lines_of(const std::string& factor,
                                                  const std::vector<std::string>& arms) const {
  ChartLines chart{factor, {}};
  size_t colour = 0;
  if (std::find(arms_.begin(), arms_.end(), report_.baseline) != arms_.end())
    chart.lines.push_back({report_.baseline, 0});
  if (!primary().empty()) chart.lines.push_back({primary(), ++colour});
  const auto is_shown = [&](const std::string& arm) {
    return std::any_of(chart.lines.begin(), chart.lines.end(),
                       [&](const Line& line) { return line.arm == arm; });
  };
  for (const std::string& arm : arms) {
    if (is_shown(arm)) continue;
    chart.lines.push_back({arm, ++colour});
    if (const std::string& own = baseline_of(arm); !is_shown(own))
      chart.lines.push_back({own, colour, true});
  }
  return chart;
}

std::vector<ReportContext::ChartLines> ReportContext::chart_lines() const {
  constexpr size_t most_lines = 6;  // beside the baseline and the primary arm
  if (!has_many_arms()) {
    ChartLines all;
    for (const std::string& arm : arms_) all.lines.push_back({arm, colour(arm)});
    return {all};
  }
  std::vector<ChartLines> charts;
  for (const Group& group : groups_) {
    std::vector<std::string> arms;
    size_t lines = 0;
    const auto flush = [&] {
      if (!arms.empty()) charts.push_back(lines_of(group.factor, arms));
      arms.clear();
      lines = 0;
    };
    for (const std::string& arm : group.arms) {
      if (arm == report_.baseline || arm == primary()) continue;
      // The baseline of other arms comes with them.
      if (is_baseline(arm) && baseline_of(arm) == arm) continue;
      const size_t more = baseline_of(arm) == report_.baseline ? 1 : 2;
      if (lines + more > most_lines) flush();
      arms.push_back(arm);
      lines += more;
    }
    flush();
  }
  return charts;
}

std::string ReportContext::label(const std::string& arm) const {
  for (const ArmDescription& description : report_.arms)
    if (description.name == arm && !description.label.empty()) return description.label;
  return arm;
}

size_t ReportContext::colour(const std::string& arm) const {
  size_t colour = 1;
  for (const std::string& other : arms_) {
    if (other == arm) return arm == report_.baseline ? 0 : colour;
    if (other != report_.baseline) ++colour;
  }
  return colour;
}

std::string ReportContext::place(const std::string& schedule, const std::string& set) const {
  return schedules_.size() > 1 && !schedule.empty() ? fmt::format("{} ({})", set, schedule) : set;
}

}  // namespace scion
