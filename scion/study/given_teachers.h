// Teachers that a study takes as files: which they are, and how well they do on its sets.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "scion/study/runs.h"

namespace scion {

/// Checksums of the teachers that are files, by number. Nothing where no arm has a teacher.
std::map<int64_t, std::string> checksums_of_given_teachers(const Recipe& recipe);

/// The evaluations of a given teacher, as training logs them: lines of "set", "wer", "epoch" (0), …
std::filesystem::path given_teacher_results(const std::filesystem::path& out,
                                            const RecipeTeacher& teacher);

/// Evaluates every teacher in `shared.given_teachers` on every set. What an earlier call found is
/// kept while the file, the set, and precision and device of the recipe's teacher are the same.
void evaluate_given_teachers(const Recipe& recipe, const SharedSettings& shared);

}  // namespace scion
