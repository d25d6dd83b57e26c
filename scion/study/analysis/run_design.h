// Random factors (seeds, teachers) shared by the runs of two arms, and how they are paired.
#pragma once

#include <map>
#include <vector>

#include "scion/scoring/bootstrap.h"
#include "scion/study/analysis/results.h"

namespace scion {

/// For every run of an arm, one number per unit (speaker).
using NumbersByRun = std::map<RunKey, std::vector<double>>;

struct RunDesign {
  PairedErrors errors;           ///< of the runs that remain, with their factors
  int64_t seeds = 0;             ///< both arms' together if they have none in common
  int64_t teachers = 0;          ///< 0: none
  bool paired_seeds = false;     ///< the arms have seeds in common; other runs are left out
  bool paired_teachers = false;  ///< each seed has its own teacher: the pair is drawn as one
};

RunDesign design_runs(NumbersByRun baseline, NumbersByRun arm, std::vector<double> words);

struct BootstrapOptions {
  double confidence = 0.95;
  int64_t draws = 10000;
  uint64_t seed = 1;
};

/// The difference arm − baseline between the means of one number per run, such as the steadiness of
/// its gradients; the interval covers seeds and teachers.
Difference compare_values(const std::map<RunKey, double>& baseline,
                          const std::map<RunKey, double>& arm,
                          const BootstrapOptions& options = {});

}  // namespace scion
