// What a comparison will cost, before it starts.
#pragma once

#include <string>
#include <vector>

#include "scion/study/runs.h"

namespace scion {

/// Runs that differ in seed and teacher only.
struct CostRow {
  std::string name;             ///< "teacher", "xavier / full"
  int64_t runs = 0, there = 0;  ///< all, finished already
  double audio_seconds = 0;     ///< of training, one run
  double speed = 0;             ///< seconds of audio trained on in a second
  bool from_runs = false;       ///< the speed is that of runs that are there
  double seconds = 0;           ///< one run, evaluations included
};

struct StudyCost {
  std::vector<CostRow> rows;
  int64_t jobs = 1, threads = 1;
  double seconds_left() const;  ///< of all runs that are not there, one after the other
  double audio_seconds_left() const;
};

/// Estimates the runs of the tuning (if it is to be done), the teachers and the students. A speed
/// is that of runs in `place.out` where there are some of the same name, otherwise measured here:
/// some steps of the model on made-up features, by the time of the processor, as if nothing else
/// ran. An evaluation counts as a third of training on the same audio, and so does a teacher's part
/// in distillation.
StudyCost estimate_cost(const Recipe& recipe, const RunPlace& place, bool tune);

/// A table and a sentence.
std::string cost_text(const StudyCost& cost);

}  // namespace scion
