// The whole comparison: teacher, arms × schedules × seeds, results, report.
#pragma once

#include <filesystem>
#include <string>

#include "scion/study/recipe/recipe.h"

namespace scion {

struct CompareOptions {
  std::filesystem::path recipe_file, out;
  std::string program;  ///< path of this program, for the child processes
  bool tune = false;    ///< redo the tuning on dev instead of reading the frozen outcome
};

/// Works through the recipe into `out`; what is there already is kept, so that an interrupted
/// comparison continues. Leaves results.jsonl, report.html and one folder a run. Returns whether
/// every check of the recipe holds.
bool compare(const Recipe& recipe, const CompareOptions& options);

}  // namespace scion
