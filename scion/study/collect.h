// Collects the results of finished runs for the report.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "scion/study/recipe/recipe.h"
#include "scion/study/report/report.h"
#include "scion/study/runs.h"

namespace scion {

/// Adds the evaluations of the teachers and the students, and the students' measurements of
/// gradients and weights. `out` is the folder of the study; `speakers` maps the utterance ids of
/// all sets to speakers.
void collect_runs(const Recipe& recipe, const std::filesystem::path& out,
                  const std::vector<StudentRun>& runs,
                  const std::map<std::string, std::string>& speakers, StudyReport& report);

}  // namespace scion
