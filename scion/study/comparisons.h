// The comparisons that a recipe declares: every arm with its baseline, and those it lists.
#pragma once

#include <vector>

#include "scion/study/recipe/recipe.h"

namespace scion {

/// Every arm with its baseline in every budget and on every set: at the primary share of the
/// budget, at the end and, if both arms average weights, at the end with averaged weights.
std::vector<Comparison> baseline_comparisons(const Recipe& recipe);

/// The primary comparison, the other baseline comparisons, and those that the recipe lists.
Differences compare_study(const Recipe& recipe, const std::vector<ResultRow>& rows);

}  // namespace scion
