// Teachers that a study takes as files: how well they do on its sets.
#pragma once

#include <filesystem>
#include <vector>

#include "scion/study/runs.h"

namespace scion {

/// The evaluations of a given teacher, as training logs them: lines of "set", "wer", "epoch" (0), …
std::filesystem::path given_teacher_results(const std::filesystem::path& out,
                                            const RecipeTeacher& teacher);

/// Evaluates every teacher of the recipe that is a file on every set. What an earlier call found is
/// kept while the file and the sets are the same. Nothing where no arm has a teacher.
void evaluate_given_teachers(const Recipe& recipe, const SharedSettings& shared);

}  // namespace scion
