// Checks: a recipe's requirements on its results.
#pragma once

#include <vector>

#include "scion/study/recipe/recipe.h"
#include "scion/study/report/report.h"

namespace scion {

/// One SelfCheck for every check of the recipe.
///   teacher_wer  the last WER of every teacher on `set` is at most `limit` %
///   arm_wer      the last WER of every arm (or of `arm` alone) on `set` in `budget`, averaged over
///                runs, is at most `limit` %
///   early_cut    at `share` of `budget`, the WER of `arm` is at least `limit` % below that of
///                `baseline`, in every run
///   speed_up     `arm` needs at least `limit` times fewer epochs of `budget` to reach the WER that
///                `baseline` has at `share` of its budget (`baseline_budget`, or the same); means
///                over runs, interpolated between evaluations (find_crossing)
///   end_below    at the end of `budget`, the 95 % interval of WER(`arm`) − WER(`baseline`) lies
///                below `limit` percentage points (compare_arms)
std::vector<SelfCheck> run_checks(const Recipe& recipe, const std::vector<ResultRow>& rows,
                                  const std::vector<ResultRow>& teachers);

}  // namespace scion
