#include "scion/study/analysis/run_design.h"

#include <algorithm>
#include <set>

namespace scion {
namespace {

// The levels of a factor (seed, teacher) among an arm's runs; teacher 0 means none.
std::set<int64_t> levels_of(const NumbersByRun& runs, int64_t RunKey::*factor) {
  std::set<int64_t> levels;
  for (const auto& [run, numbers] : runs)
    if (run.*factor != 0 || factor == &RunKey::seed) levels.insert(run.*factor);
  return levels;
}

// Keeps the levels common to both arms; without any, keeps all and returns false.
bool keep_common(NumbersByRun& first, NumbersByRun& second, int64_t RunKey::*factor) {
  const std::set<int64_t> of_first = levels_of(first, factor),
                          of_second = levels_of(second, factor);
  const auto shared = [&](int64_t level) {
    return of_first.contains(level) && of_second.contains(level);
  };
  if (std::none_of(of_first.begin(), of_first.end(), shared)) return false;
  const auto is_other = [&](const auto& entry) { return !shared(entry.first.*factor); };
  std::erase_if(first, is_other);
  std::erase_if(second, is_other);
  return true;
}

// True if each seed of the arm has its own teacher.
bool pairs_teachers(const NumbersByRun& runs) {
  const size_t teachers = levels_of(runs, &RunKey::teacher).size();
  return teachers > 1 && teachers == runs.size() &&
         levels_of(runs, &RunKey::seed).size() == runs.size();
}

std::vector<RunErrors> without_levels(const NumbersByRun& runs) {
  std::vector<RunErrors> errors;
  for (const auto& [run, numbers] : runs) errors.push_back({numbers, {}});
  return errors;
}

// Adds one random factor: the level of every run of both arms.
void add_factor(PairedErrors& errors, const NumbersByRun& first, const NumbersByRun& second,
                int64_t RunKey::*factor) {
  std::map<int64_t, size_t> levels;
  for (const NumbersByRun* runs : {&first, &second})
    for (const int64_t level : levels_of(*runs, factor)) levels.emplace(level, levels.size());
  if (levels.empty()) return;
  errors.factors.push_back(levels.size());
  const auto set_levels = [&](const NumbersByRun& runs, std::vector<RunErrors>& system) {
    size_t i = 0;
    for (const auto& [run, numbers] : runs) {
      const auto found = levels.find(run.*factor);
      system[i++].levels.push_back(found == levels.end() ? no_level : found->second);
    }
    for (; i < system.size(); ++i) system[i].levels.push_back(no_level);
  };
  set_levels(first, errors.first);
  set_levels(second, errors.second);
}

// Adds one factor if the arms share it; otherwise one factor per arm, at which the runs of the
// other arm have no level.
void add_factors(PairedErrors& errors, const NumbersByRun& first, const NumbersByRun& second,
                 int64_t RunKey::*factor, bool shared) {
  if (shared) return add_factor(errors, first, second, factor);
  add_factor(errors, first, {}, factor);
  add_factor(errors, {}, second, factor);
}

}  // namespace

RunDesign design_runs(NumbersByRun baseline, NumbersByRun arm, std::vector<double> words) {
  RunDesign design;
  design.paired_seeds = keep_common(baseline, arm, &RunKey::seed);
  const bool shared_teachers = keep_common(baseline, arm, &RunKey::teacher);
  design.errors.first = without_levels(baseline);
  design.errors.second = without_levels(arm);
  design.errors.words = std::move(words);
  add_factors(design.errors, baseline, arm, &RunKey::seed, design.paired_seeds);
  for (const size_t levels : design.errors.factors) design.seeds += static_cast<int64_t>(levels);
  design.paired_teachers = pairs_teachers(baseline) || pairs_teachers(arm);
  if (!design.paired_teachers)
    add_factors(design.errors, baseline, arm, &RunKey::teacher, shared_teachers);
  std::set<int64_t> teachers = levels_of(baseline, &RunKey::teacher);
  teachers.merge(levels_of(arm, &RunKey::teacher));
  design.teachers = static_cast<int64_t>(teachers.size());
  return design;
}

Difference compare_values(const std::map<RunKey, double>& baseline,
                          const std::map<RunKey, double>& arm, const BootstrapOptions& options) {
  const auto numbers = [](const std::map<RunKey, double>& values) {
    NumbersByRun runs;
    for (const auto& [run, value] : values) runs[run] = {value};
    return runs;
  };
  return bootstrap_difference(design_runs(numbers(baseline), numbers(arm), {1}).errors,
                              options.confidence, options.draws, options.seed);
}

}  // namespace scion
