// What a recipe demands of its own results.
#pragma once

#include <vector>

#include "scion/study/recipe.h"
#include "scion/study/report.h"

namespace scion {

/// One SelfCheck for every check of the recipe.
///   teacher_wer  every teacher's last WER on `set` is at most `limit` %
///   arm_wer      every arm's last WER (mean over runs) of `schedule` on `set` is at most `limit`
///   %;
///                only `arm`'s where one is named
///   early_cut    at `share` of `schedule`, `arm`'s WER is at least `limit` % below `baseline`'s,
///   in
///                every run
std::vector<SelfCheck> run_checks(const Recipe& recipe, const std::vector<ResultRow>& rows,
                                  const std::vector<ResultRow>& teachers);

}  // namespace scion
