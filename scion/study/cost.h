// Estimated cost of a study before it starts, or of what is left of it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "scion/study/recipe/recipe.h"

namespace scion {

/// Runs that differ only in seed and teacher.
struct CostRow {
  std::string name;             ///< "teacher", "xavier / full"
  int64_t runs = 0, there = 0;  ///< all; finished
  double left = 0;              ///< runs left; a started run counts by the share that is left of it
  double audio_seconds = 0;     ///< trained on by one run
  double speed = 0;             ///< seconds of audio trained on per second
  bool from_runs = false;       ///< the speed was measured by runs of the study, not by a test
  double seconds = 0;           ///< one run, with its evaluations
};

/// One run in the order of starting.
struct PlannedRun {
  size_t row = 0;               ///< of StudyCost::rows
  int64_t phase = 0;            ///< a phase (tuning, study) starts when the one before has ended
  double seconds = 0;           ///< that are left of it
  std::optional<size_t> after;  ///< the run (of its teacher) that must finish first
  int64_t places = 1;           ///< of `jobs`, how many it takes
};

struct StudyCost {
  std::vector<CostRow> rows;
  std::vector<PlannedRun> planned;
  int64_t jobs = 1, threads = 1;
  int64_t runs() const;
  int64_t finished_runs() const;
  double seconds_left() const;          ///< sum over the runs that are left
  double elapsed_seconds_left() const;  ///< the same in `jobs` places, teachers first
  double audio_seconds_left() const;
};

/// Estimates the runs of the tuning (if it is due), the teachers and the students; `out` is the
/// folder of the study, which may hold some of them already. The speed of a row is that of its runs
/// so far; without any it is measured here, by the processor time of some training steps on random
/// features. An evaluation counts as a third of training on the same audio, and so does the
/// teacher's part in distillation. Preparing features and corrupted sets is not counted.
StudyCost estimate_cost(const Recipe& recipe, const std::filesystem::path& out, bool tune);

/// A table and a sentence.
std::string cost_text(const StudyCost& cost);

}  // namespace scion
