// The training runs of a study: the folder, configuration and job of each.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "scion/study/analysis/results.h"
#include "scion/study/jobs.h"
#include "scion/study/recipe/recipe.h"
#include "scion/study/tuning.h"

namespace scion {

/// The run of one student.
struct StudentRun {
  std::string arm, budget;
  RunKey key;
  double peak_lr = 0;
  std::filesystem::path directory;
  std::string name() const;
};

/// The folder of a teacher that the study trains; `out` is the folder of the study or its tuning.
std::filesystem::path teacher_folder(const std::filesystem::path& out,
                                     const RecipeTeacher& teacher);
/// All students of the study. Seeds vary slowest, so that an interrupted study has complete pairs.
std::vector<StudentRun> student_runs(const Recipe& recipe, const std::filesystem::path& out,
                                     const Tuning& tuning);
/// One run for every arm, budget and rate of the grid.
std::vector<StudentRun> tuning_runs(const Recipe& recipe, const std::filesystem::path& out);

/// What the configurations of all runs of a study (or of its tuning) have in common.
struct SharedSettings {
  std::filesystem::path out;       ///< folder of the runs
  std::string tokenizer;           ///< SentencePiece model
  std::vector<std::string> train;  ///< manifests instead of the recipe's; empty: the recipe's
  std::vector<NamedManifest> evaluation;
  /// Checksums of the teachers that are files, by number.
  std::map<int64_t, std::string> given_teachers;
};

RunConfig teacher_config(const Recipe& recipe, const SharedSettings& shared,
                         const RecipeTeacher& teacher);
RunConfig student_config(const Recipe& recipe, const SharedSettings& shared, const StudentRun& run);

/// Fraction of the configured epochs that the run in this folder has done, 0 … 1; reads little.
double share_done(const std::filesystem::path& directory, const RunConfig& config);

/// One job for every teacher that the study trains. `program`: path of the scion program.
std::vector<Job> teacher_jobs(const Recipe& recipe, const SharedSettings& shared,
                              const std::string& program);
/// Starts after the job of its teacher if the arm has one that the study trains.
Job student_job(const Recipe& recipe, const SharedSettings& shared, const std::string& program,
                const StudentRun& run);

}  // namespace scion
