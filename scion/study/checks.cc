#include "scion/study/checks.h"

#include <map>

namespace scion {
namespace {

// The row of the last epoch, or of the first one at or after `epoch`.
const ResultRow* find_row(const std::vector<ResultRow>& rows, const std::string& arm,
                          const std::string& schedule, const std::string& set, int64_t seed,
                          double epoch) {
  const ResultRow* found = nullptr;
  for (const ResultRow& row : rows) {
    if (row.arm != arm || row.schedule != schedule || row.set != set || row.seed != seed) continue;
    if (row.epoch >= epoch - 1e-9) return &row;
    found = &row;
  }
  return found;
}

SelfCheck teacher_check(const RecipeCheck& check, const std::vector<ResultRow>& teacher) {
  SelfCheck result{fmt::format("teacher ≤ {:g} % on {}", check.limit, check.set), false,
                   "no teacher was trained"};
  for (const ResultRow& row : teacher)
    if (row.set == check.set) {
      result.passed = row.wer <= check.limit;
      result.detail = fmt::format("{:.2f} %", row.wer);
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
    if (!check.arm.empty() && arm.name != check.arm) continue;
    double sum = 0;
    for (int64_t s = 0; s < recipe.seeds; ++s) {
      const ResultRow* row =
          find_row(rows, arm.name, check.schedule, check.set, recipe.first_seed + s, 1e9);
      sum += row == nullptr ? INFINITY : row->wer;
    }
    const double mean = sum / static_cast<double>(recipe.seeds);
    result.passed = result.passed && mean <= check.limit;
    result.detail +=
        fmt::format("{}{}: {:.2f} %", result.detail.empty() ? "" : ", ", arm.name, mean);
  }
  return result;
}

SelfCheck early_check(const Recipe& recipe, const RecipeCheck& check,
                      const std::vector<ResultRow>& rows) {
  const double epoch = check.share * static_cast<double>(recipe.schedule(check.schedule).epochs);
  SelfCheck result{
      fmt::format("{} ≥ {:g} % below {} at {:.0f} % of {} on {}, every seed", check.arm,
                  check.limit, check.baseline, 100 * check.share, check.schedule, check.set),
      true, ""};
  for (int64_t s = 0; s < recipe.seeds; ++s) {
    const int64_t seed = recipe.first_seed + s;
    const ResultRow* arm = find_row(rows, check.arm, check.schedule, check.set, seed, epoch);
    const ResultRow* base = find_row(rows, check.baseline, check.schedule, check.set, seed, epoch);
    const double cut =
        arm == nullptr || base == nullptr ? -INFINITY : 100 * (1 - arm->wer / base->wer);
    result.passed = result.passed && cut >= check.limit;
    result.detail +=
        fmt::format("{}seed {}: {:.1f} %", result.detail.empty() ? "" : ", ", seed, cut);
  }
  return result;
}

}  // namespace

std::vector<SelfCheck> run_checks(const Recipe& recipe, const std::vector<ResultRow>& rows,
                                  const std::vector<ResultRow>& teacher) {
  std::vector<SelfCheck> results;
  for (const RecipeCheck& check : recipe.checks) {
    if (check.kind == "teacher_wer") results.push_back(teacher_check(check, teacher));
    if (check.kind == "arm_wer") results.push_back(arm_check(recipe, check, rows));
    if (check.kind == "early_cut") results.push_back(early_check(recipe, check, rows));
  }
  return results;
}

}  // namespace scion
