// What a recipe demands of its own results.
#pragma once

#include <vector>

#include "scion/study/recipe/recipe.h"
#include "scion/study/report/report.h"

namespace scion {

/// One SelfCheck for every check of the recipe.
///   teacher_wer  every teacher's last WER on `set` is at most `limit` %
///   arm_wer      every arm's last WER (mean over runs) of `schedule` on `set` is at most
///                `limit` %; only `arm`'s where one is named
///   early_cut    at `share` of `schedule`, `arm`'s WER is at least `limit` % below
///                `baseline`'s, in every run
///   speed_up     `arm` needs at least `limit` times fewer epochs of `schedule` to the WER that
///                `baseline` has at `share` of its schedule (`baseline_schedule`, or the same);
///                means over runs, the arm's place between two evaluations (find_crossing)
///   end_below    at the end of `schedule`, the 95 % interval of `arm`'s WER minus
///                `baseline`'s lies below `limit` percentage points (compare_arms)
std::vector<SelfCheck> run_checks(const Recipe& recipe, const std::vector<ResultRow>& rows,
                                  const std::vector<ResultRow>& teachers);

}  // namespace scion
