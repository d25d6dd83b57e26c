// A study: teachers and arms × budgets × seeds, trained and evaluated; results and report.
#pragma once

#include <filesystem>
#include <string>

#include "scion/study/recipe/recipe.h"
#include "scion/study/report/report.h"

namespace scion {

struct StudyOptions {
  std::filesystem::path recipe_file, out;
  std::string program;  ///< path of the scion program, for the child processes
  bool tune = false;    ///< tune again instead of reading the frozen outcome
};

/// Runs the recipe in the folder `out`. Runs that are there are kept, so that an interrupted study
/// continues. Writes results.jsonl, report.html and one folder per run; returns the report.
StudyReport run_study(const Recipe& recipe, const StudyOptions& options);

}  // namespace scion
