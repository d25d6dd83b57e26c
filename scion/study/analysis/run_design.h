// What is random in the runs of two arms: seeds, teachers, and how they go together.
#pragma once

#include <map>
#include <vector>

#include "scion/scoring/bootstrap.h"
#include "scion/study/analysis/results.h"

namespace scion {

/// Of every run of an arm one number for each unit (speaker).
using NumbersByRun = std::map<RunKey, std::vector<double>>;

struct RunDesign {
  PairedErrors errors;           ///< of the runs that are left, with their factors
  int64_t seeds = 0;             ///< of both arms together where they have none in common
  int64_t teachers = 0;          ///< 0: none
  bool paired_seeds = false;     ///< the arms have seeds in common; other runs are left out
  bool paired_teachers = false;  ///< every seed has a teacher of its own: both are drawn as one
};

RunDesign design_runs(NumbersByRun first, NumbersByRun second, std::vector<double> words);

struct BootstrapOptions {
  double confidence = 0.95;
  int64_t draws = 10000;
  uint64_t seed = 1;
};

/// The difference second − first of the means of one number a run, such as a gradient's steadiness:
/// the interval is about other seeds and teachers.
Difference compare_values(const std::map<RunKey, double>& first,
                          const std::map<RunKey, double>& second,
                          const BootstrapOptions& options = {});

}  // namespace scion
