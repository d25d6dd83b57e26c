#include "scion/study/report/report_context.h"

#include <fmt/format.h>

namespace scion {

ReportContext::ReportContext(const StudyReport& report)
    : report_(report), curves_(learning_curves(report.rows)) {
  order_arms();
  find_set_curves();
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

void ReportContext::find_set_curves() {
  std::vector<std::pair<std::string, std::string>> names;
  for (const Curve& curve : curves_) {
    add_new(budgets_, curve.budget);
    add_new(names, std::pair(curve.budget, curve.set));
  }
  for (const auto& [budget, set] : names) {
    SetCurves curves{budget, set, {}, curve(budget, set, report_.baseline)};
    for (const std::string& arm : arms_)
      if (const Curve* found = curve(budget, set, arm)) curves.curves.push_back(found);
    set_curves_.push_back(std::move(curves));
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

const Curve* ReportContext::SetCurves::curve(const std::string& arm) const {
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
  return report_.differences.primary ? report_.differences.primary->comparison.arm : "";
}

std::string ReportContext::label(const std::string& arm) const {
  for (const ArmDescription& description : report_.arms)
    if (description.name == arm && !description.label.empty()) return description.label;
  return arm;
}

std::string ReportContext::set_text(const std::string& budget, const std::string& set) const {
  return budgets_.size() > 1 && !budget.empty() ? fmt::format("{} ({})", set, budget) : set;
}

}  // namespace scion
