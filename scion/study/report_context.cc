#include "scion/study/report_context.h"

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
