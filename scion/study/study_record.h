// Record of a study's folder: its runs, their progress and their results.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "scion/study/recipe/recipe.h"
#include "scion/training/run_record.h"

namespace scion {

struct StudyRunRecord {
  std::string name;                 ///< its folder, relative to the study's
  std::optional<RunRecord> record;  ///< nullopt: not started
};

struct StudyRecord {
  std::filesystem::path directory;
  Recipe recipe;
  std::vector<StudyRunRecord> runs;  ///< of tuning, then teachers, then students, each by name
  bool finished = false;             ///< the report exists
  std::vector<std::string> files;    ///< relative to the folder
};

/// True if `scion compare` wrote the folder.
bool is_study(const std::filesystem::path& directory);
/// UserError if it did not.
StudyRecord read_study_record(const std::filesystem::path& directory);

nlohmann::json to_json(const StudyRecord& record);
std::string to_text(const StudyRecord& record);

}  // namespace scion
