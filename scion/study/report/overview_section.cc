// All arms at once, as dot plots: error rates, and differences from the baselines.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "scion/study/report/section_parts.h"
#include "scion/study/report/sections.h"

namespace scion {
namespace {

// The baseline comparisons on this set in this budget, the primary one first.
std::vector<const ArmDifference*> differences_of(const ReportContext& context,
                                                 const ReportContext::SetCurves& here) {
  const Differences& differences = context.report().differences;
  std::vector<const ArmDifference*> found;
  const auto add = [&](const ArmDifference& entry) {
    if (entry.comparison.budget == here.budget && entry.comparison.set == here.set)
      found.push_back(&entry);
  };
  if (differences.primary) add(*differences.primary);
  for (const ArmDifference& entry : differences.secondary) add(entry);
  return found;
}

// The early epoch of the overview: that of the comparisons, or a fifth of the budget.
double early_epoch(const ReportContext& context, const ReportContext::SetCurves& here) {
  double early = HUGE_VAL, last = 0;
  for (const ArmDifference* entry : differences_of(context, here))
    early = std::min(early, *entry->comparison.epoch);
  if (std::isfinite(early)) return early;
  for (const Curve* curve : here.curves) last = std::max(last, curve->points.back().epoch);
  for (const CurvePoint& point : here.curves.front()->points)
    if (point.epoch >= 0.2 * last - 1e-9) return point.epoch;
  return last;
}

// Rows of a dot plot: the arms on a set, grouped by factor if there are many.
std::vector<DotRow> dot_rows(const ReportContext& context, const ReportContext::SetCurves& here,
                             bool baselines, std::vector<std::string>& arms) {
  std::vector<DotRow> rows;
  for (const ReportContext::Group& group : context.groups()) {
    const size_t before = rows.size();
    if (context.has_many_arms() && !group.factor.empty()) {
      rows.push_back({group.factor, true, 0});
      arms.emplace_back();
    }
    const size_t first = rows.size();
    for (const std::string& arm : group.arms) {
      if (!here.curve(arm) || (!baselines && context.baseline_of(arm) == arm)) continue;
      const size_t colour = context.is_baseline(arm) ? 0 : arm == context.primary() ? 2 : 1;
      rows.push_back({context.label(arm), false, colour});
      arms.push_back(arm);
    }
    if (rows.size() > first) continue;
    rows.resize(before);
    arms.resize(before);
  }
  return rows;
}

DotPlot wer_dots(const ReportContext& context, const ReportContext::SetCurves& here) {
  std::vector<std::string> arms;
  DotPlot plot{
      "WER, " + context.set_text(here.budget, here.set), dot_rows(context, here, true, arms), {}};
  const auto add_panel = [&](const std::string& title, const auto& point_of) {
    DotPanel panel{title, "WER, %", std::nullopt, {}};
    bool any = false;
    for (const std::string& arm : arms) {
      const Curve* curve = arm.empty() ? nullptr : here.curve(arm);
      const CurvePoint* point = curve ? point_of(*curve) : nullptr;
      panel.dots.push_back(
          point ? std::optional(Dot{point->wer, point->low, point->high, point->by_run})
                : std::nullopt);
      any |= point != nullptr;
    }
    if (any) plot.panels.push_back(std::move(panel));
  };
  const double early = early_epoch(context, here);
  add_panel(fmt::format("after {}", epochs_text(early)),
            [&](const Curve& curve) { return find_point(curve, early); });
  add_panel("at the end", [](const Curve& curve) { return &curve.points.back(); });
  add_panel("at the end, averaged weights",
            [](const Curve& curve) { return curve.averaged ? &*curve.averaged : nullptr; });
  return plot;
}

// One panel of differences: every arm at one epoch, with raw or averaged weights.
DotPanel difference_panel(const std::vector<std::string>& arms,
                          const std::vector<const ArmDifference*>& entries, Weights weights,
                          double epoch) {
  DotPanel panel{fmt::format("after {}{}", epochs_text(epoch),
                             weights == Weights::averaged ? ", averaged weights" : ""),
                 "points of WER",
                 0.0,
                 {}};
  for (const std::string& arm : arms) {
    panel.dots.emplace_back();
    for (const ArmDifference* entry : entries)
      if (entry->comparison.arm == arm && entry->comparison.weights == weights &&
          *entry->comparison.epoch == epoch)
        panel.dots.back() = Dot{entry->difference.mean, entry->difference.interval.low,
                                entry->difference.interval.high};
  }
  return panel;
}

DotPlot difference_dots(const ReportContext& context, const ReportContext::SetCurves& here) {
  std::vector<std::string> arms;
  DotPlot plot{"Difference from the arm's baseline, " + context.set_text(here.budget, here.set),
               dot_rows(context, here, false, arms),
               {}};
  std::vector<const ArmDifference*> entries = differences_of(context, here);
  std::erase_if(entries, [&](const ArmDifference* entry) {
    return entry->comparison.baseline != context.baseline_of(entry->comparison.arm);
  });
  std::set<std::pair<Weights, double>> panels;  // raw before averaged, then by epoch
  for (const ArmDifference* entry : entries)
    panels.emplace(entry->comparison.weights, *entry->comparison.epoch);
  for (const auto& [weights, epoch] : panels)
    plot.panels.push_back(difference_panel(arms, entries, weights, epoch));
  return plot;
}

}  // namespace

Section overview_section(const ReportContext& context) {
  Section section{
      "overview",
      "All arms",
      "Dots are means over runs, small marks single runs; lines span the best to the worst run.",
      {},
      {}};
  if (context.arms().size() < 3) return section;
  const bool compared = context.report().differences.primary.has_value();
  if (compared)
    section.text += fmt::format(" Lines of differences are {:g} % intervals.",
                                100 * context.report().differences.options.confidence);
  for (const ReportContext::SetCurves& here : context.set_curves()) {
    section.dots.push_back(wer_dots(context, here));
    if (compared) section.dots.push_back(difference_dots(context, here));
  }
  return section;
}

}  // namespace scion
