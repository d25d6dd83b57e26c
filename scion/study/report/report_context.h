// A report with what its sections derive from it: curves by set, order and groups of arms, names.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "scion/study/analysis/curves.h"
#include "scion/study/report/number_text.h"
#include "scion/study/report/report.h"

namespace scion {

/// The report must outlive the context.
class ReportContext {
 public:
  explicit ReportContext(const StudyReport& report);

  const StudyReport& report() const { return report_; }
  const std::vector<std::string>& arms() const { return arms_; }
  const std::vector<std::string>& budgets() const { return budgets_; }

  std::string label(const std::string& arm) const;
  /// The arm that `arm` is compared with.
  const std::string& baseline_of(const std::string& arm) const;
  /// True if some arm is compared with this one.
  bool is_baseline(const std::string& arm) const;
  /// The arm of the primary comparison; "" without one.
  std::string primary() const;

  /// Arms of one factor, in the report's order; "" for arms without a factor.
  struct Group {
    std::string factor;
    std::vector<std::string> arms;
  };
  const std::vector<Group>& groups() const { return groups_; }
  /// More arms than fit into one chart.
  bool has_many_arms() const { return arms_.size() > 7; }

  /// Decimals of error rates, by the number of reference words.
  int decimals() const { return decimals_; }
  std::string rate(double wer) const { return number_text(wer, decimals_); }

  const std::vector<Curve>& curves() const { return curves_; }
  const Curve* curve(const std::string& budget, const std::string& set,
                     const std::string& arm) const {
    return find_curve(curves_, budget, set, arm);
  }
  /// The curves on one set in one budget, arms in the report's order.
  struct SetCurves {
    std::string budget, set;
    std::vector<const Curve*> curves;
    const Curve* baseline = nullptr;  ///< of the report's baseline
    const Curve* curve(const std::string& arm) const;
  };
  const std::vector<SetCurves>& set_curves() const { return set_curves_; }
  /// The set, with the budget if there are several.
  std::string set_text(const std::string& budget, const std::string& set) const;

 private:
  void order_arms();
  void find_set_curves();
  void group_arms();

  const StudyReport& report_;
  std::vector<Curve> curves_;
  std::vector<std::string> arms_, budgets_;
  std::vector<SetCurves> set_curves_;
  std::vector<Group> groups_;
  int decimals_ = 2;
};

/// Appends the value unless it is there already.
template <class Items, class Value>
void add_new(Items& items, const Value& value) {
  if (std::find(items.begin(), items.end(), value) == items.end()) items.push_back(value);
}

}  // namespace scion
