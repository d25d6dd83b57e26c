#include "scion/study/report/headline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scion/study/report/report_context.h"

namespace scion {
namespace {

// The set, with the budget unless the epoch is its end.
std::string set_at_epoch(const ReportContext& context, const Comparison& comparison) {
  const Curve* curve = context.curve(comparison.budget, comparison.set, comparison.arm);
  const bool is_end = curve && std::abs(curve->points.back().epoch - *comparison.epoch) < 1e-6;
  return is_end ? comparison.set : context.set_text(comparison.budget, comparison.set);
}

std::string open_headline(const ReportContext& context, const ArmDifference& primary) {
  const Comparison& comparison = primary.comparison;
  const Interval& interval = primary.difference.interval;
  return fmt::format(
      "After {}, {} ({} % WER) and {} ({} %) cannot be told apart on {}: the difference of {} "
      "points has a {:g} % interval from {} to {}.",
      epochs_text(*comparison.epoch), context.label(comparison.arm), context.rate(primary.arm_wer),
      context.label(comparison.baseline), context.rate(primary.baseline_wer),
      set_at_epoch(context, comparison), number_text(primary.difference.mean, 1),
      100 * context.report().differences.options.confidence, number_text(interval.low, 1),
      number_text(interval.high, 1));
}

std::string clear_headline(const ReportContext& context, const ArmDifference& primary) {
  const Comparison& comparison = primary.comparison;
  const double mean = primary.difference.mean;
  const Interval& interval = primary.difference.interval;
  const auto [low, high] = std::minmax({std::abs(interval.low), std::abs(interval.high)});
  return fmt::format(
      "After {}, {} has a WER of {} % on {}, {} points {} than {} with {} % ({:g} % interval {} "
      "to {}).",
      epochs_text(*comparison.epoch), context.label(comparison.arm), context.rate(primary.arm_wer),
      set_at_epoch(context, comparison), number_text(std::abs(mean), 1),
      mean < 0 ? "lower" : "higher", context.label(comparison.baseline),
      context.rate(primary.baseline_wer), 100 * context.report().differences.options.confidence,
      number_text(low, 1), number_text(high, 1));
}

std::string lower_or_higher(double reduction) {
  return fmt::format("{} % {}", number_text(100 * std::abs(reduction), 1),
                     reduction >= 0 ? "lower" : "higher");
}

std::string bound_words(Bound bound) {
  if (bound == Bound::exact) return "";
  return bound == Bound::at_least ? "at least " : "at most ";
}

// The arm and the baseline of the headline and the key figures.
struct Focus {
  const Curve* arm = nullptr;
  const Curve* baseline = nullptr;
};

Focus focus_of(const ReportContext& context) {
  if (const auto& primary = context.report().differences.primary) {
    const Comparison& c = primary->comparison;
    return {context.curve(c.budget, c.set, c.arm), context.curve(c.budget, c.set, c.baseline)};
  }
  for (const ReportContext::SetCurves& here : context.set_curves())
    for (const Curve* curve : here.curves)
      if (here.baseline && curve != here.baseline) return {curve, here.baseline};
  return {};
}

// The gain at the arm's first and at its last evaluation.
std::string speed_headline(const ReportContext& context, const Focus& focus) {
  const std::vector<SpeedUp> entries = speed_up(*focus.arm, *focus.baseline);
  if (entries.empty() || !entries.front().epochs || !entries.front().relative_reduction) return "";
  const SpeedUp& first = entries.front();
  const SpeedUp& last = entries.back();
  const std::string baseline = context.label(focus.baseline->arm);
  std::string text = fmt::format(
      "On {}, the WER of {} after {} is {} than that of {}, which takes {}{} times as many epochs "
      "to get there",
      context.set_text(focus.arm->budget, focus.arm->set), context.label(focus.arm->arm),
      epochs_text(first.epoch), lower_or_higher(*first.relative_reduction), baseline,
      bound_words(first.epochs->bound), number_text(first.epochs->value, 2));
  if (entries.size() > 1 && last.relative_reduction)
    text += fmt::format("; after {} it is {}", epochs_text(last.epoch),
                        lower_or_higher(*last.relative_reduction));
  return text + ".";
}

void add_primary(std::vector<KeyFigure>& figures, const ArmDifference& primary) {
  const Interval& interval = primary.difference.interval;
  figures.push_back({number_text(primary.difference.mean, 1),
                     fmt::format("points of WER ({} to {})", number_text(interval.low, 1),
                                 number_text(interval.high, 1))});
  figures.push_back({number_text(100 * primary.relative(), 0) + " %", "relative change of WER"});
}

}  // namespace

std::string headline(const StudyReport& report) {
  const ReportContext context(report);
  if (const auto& primary = report.differences.primary) {
    const Interval& interval = primary->difference.interval;
    return interval.low <= 0 && interval.high >= 0 ? open_headline(context, *primary)
                                                   : clear_headline(context, *primary);
  }
  const Focus focus = focus_of(context);
  return focus.arm ? speed_headline(context, focus) : "";
}

std::vector<KeyFigure> key_figures(const StudyReport& report) {
  constexpr size_t most_epochs = 4;
  const ReportContext context(report);
  std::vector<KeyFigure> figures;
  if (report.differences.primary) add_primary(figures, *report.differences.primary);
  const Focus focus = focus_of(context);
  if (!focus.arm || !focus.baseline) return figures;
  if (!report.differences.primary) {
    for (const SpeedUp& entry : speed_up(*focus.arm, *focus.baseline))
      if (entry.epochs && figures.size() < most_epochs)
        figures.push_back(
            {ratio_text(entry.epochs), fmt::format("speed-up at epoch {:g}", entry.epoch)});
    return figures;
  }
  const std::string baseline = context.label(focus.baseline->arm);
  for (const auto& [scale, name] :
       {std::pair{Scale::epochs, "epochs"}, {Scale::training_time, "training time"}})
    if (const auto ratio = speed_up_to_end(*focus.arm, *focus.baseline, scale))
      figures.push_back({ratio_text(ratio),
                         fmt::format("faster in {}, until the last WER of {}", name, baseline)});
  return figures;
}

}  // namespace scion
