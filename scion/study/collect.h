// What the finished runs of a comparison left in their folders, gathered for the report.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "scion/study/recipe/recipe.h"
#include "scion/study/report/report.h"
#include "scion/study/runs.h"

namespace scion {

/// Adds the evaluations of the teachers and the students, and how the students' optimisation went.
/// `speakers` are those of the utterances of all sets.
void collect_runs(const Recipe& recipe, const RunPlace& place, const std::vector<StudentRun>& runs,
                  const std::map<std::string, std::string>& speakers, StudyReport& report);

}  // namespace scion
