#include "scion/study/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "scion/study/analysis/speedup.h"

namespace scion {
namespace {

// An arm's rows by run: of the last epoch, or of the first one at or after `epoch`.
std::map<RunKey, const ResultRow*> find_rows(const std::vector<ResultRow>& rows,
                                             const std::string& arm, const RecipeCheck& check,
                                             double epoch) {
  std::map<RunKey, const ResultRow*> found;
  for (const ResultRow& row : rows) {
    if (row.arm != arm || row.schedule != check.schedule || row.set != check.set ||
        row.weights != "raw")
      continue;
    const ResultRow*& of_run = found[row.run()];
    if (of_run == nullptr || of_run->epoch < epoch - 1e-9) of_run = &row;
  }
  return found;
}

SelfCheck teacher_check(const RecipeCheck& check, const std::vector<ResultRow>& teachers) {
  std::map<int64_t, double> last;
  for (const ResultRow& row : teachers)
    if (row.set == check.set) last[row.seed] = row.wer;
  SelfCheck result{fmt::format("{} ≤ {:g} % on {}", last.size() > 1 ? "every teacher" : "teacher",
                               check.limit, check.set),
                   !last.empty(), last.empty() ? "no teacher was trained" : ""};
  for (const auto& [number, wer] : last) {
    result.passed = result.passed && wer <= check.limit;
    result.detail += fmt::format("{}{:.2f} %", result.detail.empty() ? "" : ", ", wer);
  }
  return result;
}

SelfCheck arm_check(const Recipe& recipe, const RecipeCheck& check,
                    const std::vector<ResultRow>& rows) {
  SelfCheck result{
      fmt::format("{} ≤ {:g} % on {} at the end of {}", check.arm.empty() ? "every arm" : check.arm,
                  check.limit, check.set, check.schedule),
      true, ""};
  for (const RecipeArm& arm : recipe.arms) {
    if (!arm.runs_in(check.schedule) || (!check.arm.empty() && arm.name != check.arm)) continue;
    const auto runs = find_rows(rows, arm.name, check, 1e9);
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
  const double epoch = check.share * static_cast<double>(recipe.schedule(check.schedule).epochs);
  SelfCheck result{
      fmt::format("{} ≥ {:g} % below {} at {:.0f} % of {} on {}, every run", check.arm, check.limit,
                  check.baseline, 100 * check.share, check.schedule, check.set),
      true, ""};
  const auto of_arm = find_rows(rows, check.arm, check, epoch);
  const auto of_baseline = find_rows(rows, check.baseline, check, epoch);
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
  const std::string& schedule = check.schedule_of_baseline();
  const double asked = check.share * static_cast<double>(recipe.schedule(schedule).epochs);
  SelfCheck result{
      fmt::format("{} in {} needs ≥ {:g} × fewer epochs than {} in {} to its WER at {:.0f} % on {}",
                  check.arm, check.schedule, check.limit, check.baseline, schedule,
                  100 * check.share, check.set),
      false, "no evaluation there"};
  const std::vector<Curve> curves = learning_curves(rows);
  const Curve* arm = find_curve(curves, check.schedule, check.set, check.arm);
  const Curve* baseline = find_curve(curves, schedule, check.set, check.baseline);
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
  const ArmDifference end =
      compare_arms(rows, {check.schedule, check.set, check.baseline, check.arm, {}});
  const Interval& interval = end.difference.interval;
  return {
      fmt::format("{} − {} < {:g} at the end of {} on {}, with its 95 % bound", check.arm,
                  check.baseline, check.limit, check.schedule, check.set),
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
