#include "scion/study/comparisons.h"

#include <algorithm>

namespace scion {
namespace {

// The first evaluation at or after a share of the budget's epochs.
double epoch_at(const Recipe& recipe, const std::string& budget_name, double share) {
  const RecipeBudget& budget = recipe.budget(budget_name);
  const double asked = share * static_cast<double>(budget.epochs);
  for (const int64_t epoch : budget.evaluate_epochs)
    if (static_cast<double>(epoch) >= asked - 1e-9) return static_cast<double>(epoch);
  return static_cast<double>(budget.epochs);
}

bool is_primary(const Recipe& recipe, const Comparison& comparison) {
  return comparison.arm == recipe.primary_arm && comparison.budget == recipe.primary_budget &&
         comparison.set == recipe.primary_set &&
         comparison.epoch == epoch_at(recipe, recipe.primary_budget, recipe.primary_share);
}

}  // namespace

std::vector<Comparison> baseline_comparisons(const Recipe& recipe) {
  std::vector<Comparison> all;
  for (const RecipeBudget& budget : recipe.budgets)
    for (const RecipeSet& set : recipe.sets)
      for (const RecipeArm& arm : recipe.arms) {
        const std::string& baseline = recipe.baseline_of(arm);
        if (arm.name == baseline || !arm.runs_in(budget.name)) continue;
        const double early = epoch_at(recipe, budget.name, recipe.primary_share);
        const double end = epoch_at(recipe, budget.name, 1);
        const auto add = [&](double epoch, Weights weights) {
          all.push_back({budget.name, set.name, baseline, arm.name, epoch, weights});
        };
        add(early, Weights::raw);
        if (early < end) add(end, Weights::raw);
        if (arm.run.train.average_last > 1 && recipe.arm(baseline).run.train.average_last > 1)
          add(end, Weights::averaged);
      }
  return all;
}

Differences compare_study(const Recipe& recipe, const std::vector<ResultRow>& rows) {
  std::vector<Comparison> secondary = baseline_comparisons(recipe);
  const auto found =
      std::find_if(secondary.begin(), secondary.end(),
                   [&](const Comparison& comparison) { return is_primary(recipe, comparison); });
  const Comparison primary = *found;
  secondary.erase(found);
  Differences result = compare_arms(rows, primary, secondary);
  result.declared = compare_family(rows, recipe.comparisons);
  return result;
}

}  // namespace scion
