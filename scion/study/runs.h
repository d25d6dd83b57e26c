// The training runs of a comparison: where each lies, what it is told, how far it is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scion/study/analysis/results.h"
#include "scion/study/jobs.h"
#include "scion/study/recipe/recipe.h"
#include "scion/study/tuning.h"

namespace scion {

/// One student's run.
struct StudentRun {
  std::string arm, schedule;
  RunKey key;
  double peak_lr = 0;
  std::filesystem::path directory;
  std::string name() const;
};

/// What all runs of a comparison (or of its tuning) share.
struct RunPlace {
  std::filesystem::path out;
  std::string program;
  std::string tokenizer;           ///< the SentencePiece model
  std::vector<std::string> train;  ///< manifests instead of the runs' own; none: their own
  std::vector<NamedManifest> evaluation;
};

/// The folder of a teacher that is trained here.
std::filesystem::path teacher_folder(const RunPlace& place, const RecipeTeacher& teacher);
/// All students of the comparison, seeds outermost: an interrupted comparison has whole pairs.
std::vector<StudentRun> student_runs(const Recipe& recipe, const RunPlace& place,
                                     const Tuning& tuning);
/// One for every arm, schedule and rate of the grid.
std::vector<StudentRun> tuning_runs(const Recipe& recipe, const RunPlace& place);

RunConfig teacher_config(const Recipe& recipe, const RunPlace& place, const RecipeTeacher& teacher);
RunConfig student_config(const Recipe& recipe, const RunPlace& place, const StudentRun& run);

/// Of every teacher that is trained here.
std::vector<Job> teacher_jobs(const Recipe& recipe, const RunPlace& place);
/// Waits for the teacher's job where the arm has a teacher.
Job student_job(const Recipe& recipe, const RunPlace& place, const StudentRun& run);

}  // namespace scion
