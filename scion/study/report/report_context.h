// What the parts of a report share: its curves, names, colours, and numbers as text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "scion/study/analysis/curves.h"
#include "scion/study/analysis/speedup.h"
#include "scion/study/report/report.h"

namespace scion {

/// With a real minus sign, never "-0".
std::string number_text(double value, int decimals);
std::string bound_sign(Bound bound);
/// "≥ 2.99×", "–" when nothing is known.
std::string ratio_text(const std::optional<Ratio>& ratio);
/// "20 epochs", "1 epoch".
std::string epochs_text(double epochs);

/// A report with what follows from its rows; the report must outlive it.
class ReportContext {
 public:
  explicit ReportContext(const StudyReport& report);

  const StudyReport& report() const { return report_; }
  const std::vector<Curve>& curves() const { return curves_; }
  const std::vector<std::string>& arms() const { return arms_; }
  const std::vector<std::string>& schedules() const { return schedules_; }

  std::string label(const std::string& arm) const;
  /// What the arm is held against.
  const std::string& baseline_of(const std::string& arm) const;
  /// Whether some arm is held against this one.
  bool is_baseline(const std::string& arm) const;
  /// The arm of the primary comparison; "" without one.
  std::string primary() const;
  /// 0 for the report's baseline, the others from 1.
  size_t colour(const std::string& arm) const;

  /// Arms that vary the same, in the report's order; arms without a factor have "".
  struct Group {
    std::string factor;
    std::vector<std::string> arms;
  };
  const std::vector<Group>& groups() const { return groups_; }
  /// More arms than one chart can show.
  bool has_many_arms() const { return arms_.size() > 7; }

  /// A line of a chart.
  struct Line {
    std::string arm;
    size_t colour = 0;
    bool dashed = false;  ///< a baseline of its own, in the colour of the arm that it is for
  };
  /// The lines of each chart: all arms in one or, where they are many, some arms of one factor
  /// beside the report's baseline and the primary arm.
  struct ChartLines {
    std::string factor;
    std::vector<Line> lines;
  };
  std::vector<ChartLines> chart_lines() const;

  /// The set, with the schedule where there are several.
  std::string place(const std::string& schedule, const std::string& set) const;
  /// Decimals of error rates: what the number of reference words allows.
  int decimals() const { return decimals_; }
  std::string rate(double wer) const { return number_text(wer, decimals_); }

  const Curve* curve(const std::string& schedule, const std::string& set,
                     const std::string& arm) const {
    return find_curve(curves_, schedule, set, arm);
  }
  /// Every set of every schedule with the curves there, arms in the report's order.
  struct Place {
    std::string schedule, set;
    std::vector<const Curve*> curves;
    const Curve* baseline = nullptr;  ///< the report's
    const Curve* curve(const std::string& arm) const;
  };
  const std::vector<Place>& places() const { return places_; }

 private:
  void order_arms();
  void find_places();
  void group_arms();
  ChartLines lines_of(const std::string& factor, const std::vector<std::string>& arms) const;

  const StudyReport& report_;
  std::vector<Curve> curves_;
  std::vector<std::string> arms_, schedules_;
  std::vector<Place> places_;
  std::vector<Group> groups_;
  int decimals_ = 2;
};

/// Appends what is not there yet.
template <class Items, class Value>
void add_new(Items& items, const Value& value) {
  if (std::find(items.begin(), items.end(), value) == items.end()) items.push_back(value);
}

}  // namespace scion
