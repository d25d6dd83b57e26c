// What a comparison's folder says: which runs it has, how far each is, what came out.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "scion/study/recipe/recipe.h"
#include "scion/training/run_record.h"

namespace scion {

struct StudyRunRecord {
  std::string name;                 ///< the folder, relative to the comparison's
  std::optional<RunRecord> record;  ///< nullopt: not begun
};

struct StudyRecord {
  std::filesystem::path directory;
  Recipe recipe;
  std::vector<StudyRunRecord> runs;  ///< of tuning, then the teachers, then the students, by name
  bool finished = false;             ///< the report is there
  std::vector<std::string> files;    ///< relative to the folder
};

/// Whether the folder is one that `compare` wrote.
bool is_study(const std::filesystem::path& directory);
/// UserError when it is not.
StudyRecord read_study_record(const std::filesystem::path& directory);

nlohmann::json to_json(const StudyRecord& record);
std::string to_text(const StudyRecord& record);

}  // namespace scion
