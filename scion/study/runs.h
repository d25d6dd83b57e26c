// The training runs of a comparison: where each lies, what it is told, how far it is.
#pragma once

#include <filesystem>
#include <string>

#include "scion/study/jobs.h"
#include "scion/study/recipe.h"

namespace scion {

/// One student's run.
struct StudentRun {
  std::string arm, schedule;
  int64_t seed = 1;
  double peak_lr = 0;
  std::filesystem::path directory;
  std::string name() const;
};

/// What all runs of a comparison (or of its tuning) share.
struct RunPlace {
  std::filesystem::path out;
  std::string program;
  std::string tokenizer;                ///< the SentencePiece model
  std::vector<std::string> train;       ///< manifests
  std::vector<std::string> evaluation;  ///< "name=manifest"
};

Job teacher_job(const Recipe& recipe, const RunPlace& place);
/// Waits for the teacher's job where the arm is a selected one.
Job student_job(const Recipe& recipe, const RunPlace& place, const StudentRun& run);

/// The model that selected arms start from: the given file, or the one trained here.
std::filesystem::path teacher_model(const Recipe& recipe, const RunPlace& place);

}  // namespace scion
