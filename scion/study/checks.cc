#include "scion/study/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "scion/study/analysis/speedup.h"

namespace scion {
namespace {

// For each run of the arm, the row at the first evaluation at or after `epoch`, or the last row.
std::map<RunKey, const ResultRow*> find_rows(const std::vector<ResultRow>& rows,
                                             const std::string& arm, const Comparison& pair,
                                             double epoch) {
  std::map<RunKey, const ResultRow*> found;
  for (const ResultRow& row : rows) {
    if (row.arm != arm || row.budget != pair.budget || row.set != pair.set ||
        row.weights != Weights::raw)
      continue;
    const ResultRow*& of_run = found[row.run()];
    if (of_run == nullptr || of_run->epoch < epoch - 1e-9) of_run = &row;
  }
  return found;
}

SelfCheck teacher_check(const RecipeCheck& check, const std::vector<ResultRow>& teachers) {
  std::map<int64_t, double> last;
  for (const ResultRow& row : teachers)
    if (row.set == check.comparison.set) last[row.seed] = row.wer;
  SelfCheck result{fmt::format("{} ≤ {:g} % on {}", last.size() > 1 ? "every teacher" : "teacher",
                               check.limit, check.comparison.set),
                   !last.empty(), last.empty() ? "no teacher was evaluated" : ""};
  for (const auto& [number, wer] : last) {
    result.passed = result.passed && wer <= check.limit;
    result.detail += fmt::format("{}{:.2f} %", result.detail.empty() ? "" : ", ", wer);
  }
  return result;
}

SelfCheck arm_check(const Recipe& recipe, const RecipeCheck& check,
                    const std::vector<ResultRow>& rows) {
  const Comparison& pair = check.comparison;
  SelfCheck result{
      fmt::format("{} ≤ {:g} % on {} at the end of {}", pair.arm.empty() ? "every arm" : pair.arm,
                  check.limit, pair.set, pair.budget),
      true, ""};
  for (const RecipeArm& arm : recipe.arms) {
    if (!arm.runs_in(pair.budget) || (!pair.arm.empty() && arm.name != pair.arm)) continue;
    const auto runs = find_rows(rows, arm.name, pair, HUGE_VAL);
    double sum = runs.empty() ? INFINITY : 0;
    for (const auto& [run, row] : runs) sum += row->wer / static_cast<double>(runs.size());
    result.passed = result.passed && sum <= check.limit;
    result.detail +=
        fmt::format("{}{}: {:.2f} %", result.detail.empty() ? "" : ", ", arm.name, sum);
  }
  return result;
}

SelfCheck early_check(const Recipe& recipe, const RecipeCheck& check,
                      const std::vector<ResultRow>& rows) {
  const Comparison& pair = check.comparison;
  const double epoch = check.share * static_cast<double>(recipe.budget(pair.budget).epochs);
  SelfCheck result{
      fmt::format("{} ≥ {:g} % below {} at {:.0f} % of {} on {}, every run", pair.arm, check.limit,
                  pair.baseline, 100 * check.share, pair.budget, pair.set),
      true, ""};
  const auto of_arm = find_rows(rows, pair.arm, pair, epoch);
  const auto of_baseline = find_rows(rows, pair.baseline, pair, epoch);
  result.passed = !of_arm.empty();
  for (const auto& [run, row] : of_arm) {
    auto base = of_baseline.find(run);
    if (base == of_baseline.end()) base = of_baseline.find({0, run.seed});  // a random baseline
    const double cut =
        base == of_baseline.end() ? -INFINITY : 100 * (1 - row->wer / base->second->wer);
    result.passed = result.passed && cut >= check.limit;
    result.detail +=
        fmt::format("{}{}: {:.1f} %", result.detail.empty() ? "" : ", ", run_text(run), cut);
  }
  return result;
}

SelfCheck speed_check(const Recipe& recipe, const RecipeCheck& check,
                      const std::vector<ResultRow>& rows) {
  const Comparison& pair = check.comparison;
  const std::string& budget = pair.budget_of_baseline();
  const double asked = check.share * static_cast<double>(recipe.budget(budget).epochs);
  SelfCheck result{
      fmt::format("{} in {} needs ≥ {:g} × fewer epochs than {} in {} to its WER at {:.0f} % on {}",
                  pair.arm, pair.budget, check.limit, pair.baseline, budget, 100 * check.share,
                  pair.set),
      false, "no evaluation there"};
  const std::vector<Curve> curves = learning_curves(rows);
  const Curve* arm = find_curve(curves, pair.budget, pair.set, pair.arm);
  const Curve* baseline = find_curve(curves, budget, pair.set, pair.baseline);
  if (arm == nullptr || baseline == nullptr || arm->points.empty()) return result;
  const auto there =
      std::find_if(baseline->points.begin(), baseline->points.end(),
                   [&](const CurvePoint& point) { return point.epoch >= asked - 1e-9; });
  if (there == baseline->points.end()) return result;
  const Crossing crossing = find_crossing(*arm, there->wer, Scale::epochs);
  const bool reached = arm->points.back().wer <= there->wer;
  const double factor = there->epoch / crossing.position;
  result.passed = reached && factor >= check.limit;
  result.detail = fmt::format(
      "{:.1f} % at epoch {:g}; {}", there->wer, there->epoch,
      reached ? fmt::format("there at epoch {:.2f}: {:.2f} ×", crossing.position, factor)
              : fmt::format("never there: {:.1f} % at the end", arm->points.back().wer));
  return result;
}

SelfCheck end_check(const RecipeCheck& check, const std::vector<ResultRow>& rows) {
  const Comparison& pair = check.comparison;
  const ArmDifference end = compare_arms(rows, pair);
  const Interval& interval = end.difference.interval;
  return {
      fmt::format("{} − {} < {:g} at the end of {} on {}, with its 95 % bound", pair.arm,
                  pair.baseline, check.limit, pair.budget, pair.set),
      interval.high < check.limit,
      fmt::format("{:.2f}, {:.2f} to {:.2f}", end.difference.mean, interval.low, interval.high)};
}

}  // namespace

std::vector<SelfCheck> run_checks(const Recipe& recipe, const std::vector<ResultRow>& rows,
                                  const std::vector<ResultRow>& teachers) {
  std::vector<SelfCheck> results;
  for (const RecipeCheck& check : recipe.checks) {
    if (check.kind == "teacher_wer") results.push_back(teacher_check(check, teachers));
    if (check.kind == "arm_wer") results.push_back(arm_check(recipe, check, rows));
    if (check.kind == "early_cut") results.push_back(early_check(recipe, check, rows));
    if (check.kind == "speed_up") results.push_back(speed_check(recipe, check, rows));
    if (check.kind == "end_below") results.push_back(end_check(check, rows));
  }
  return results;
}

}  // namespace scion
