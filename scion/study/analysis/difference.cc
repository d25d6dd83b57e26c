#include "scion/study/analysis/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "scion/core/error.h"

namespace scion {
namespace {

using RowsByRun = std::map<RunKey, const ResultRow*>;

// One arm of a comparison at its evaluation.
struct Side {
  std::string arm, budget, set;
  Weights weights;
  std::optional<double> epoch;
};

Side baseline_side(const Comparison& comparison) {
  return {comparison.baseline, comparison.budget_of_baseline(), comparison.set, comparison.weights,
          comparison.baseline_epoch};
}

Side arm_side(const Comparison& comparison) {
  return {comparison.arm, comparison.budget, comparison.set, comparison.weights, comparison.epoch};
}

std::string describe(const Side& side) {
  std::string text = fmt::format("arm '{}' on '{}'", side.arm, side.set);
  if (!side.budget.empty()) text += fmt::format(" in budget '{}'", side.budget);
  if (side.epoch) text += fmt::format(" at epoch {:g}", *side.epoch);
  if (side.weights == Weights::averaged) text += " with averaged weights";
  return text;
}

bool is_of(const ResultRow& row, const Side& side) {
  return row.budget == side.budget && row.set == side.set && row.arm == side.arm &&
         row.weights == side.weights;
}

std::set<double> epochs_of(const std::vector<ResultRow>& rows, const Side& side) {
  std::set<double> epochs;
  for (const ResultRow& row : rows)
    if (is_of(row, side)) epochs.insert(row.epoch);
  if (epochs.empty())
    throw UserError("no results of " + describe(side),
                    "check the names against the study's results");
  return epochs;
}

double last_common_epoch(const std::vector<ResultRow>& rows, const Comparison& comparison) {
  const std::set<double> of_baseline = epochs_of(rows, baseline_side(comparison));
  const std::set<double> of_arm = epochs_of(rows, arm_side(comparison));
  for (auto epoch = of_arm.rbegin(); epoch != of_arm.rend(); ++epoch)
    if (of_baseline.contains(*epoch)) return *epoch;
  throw UserError(fmt::format("'{}' and '{}' have no evaluation on '{}' at the same epoch",
                              comparison.baseline, comparison.arm, comparison.set));
}

// The comparison with both epochs filled in.
Comparison with_epochs(const std::vector<ResultRow>& rows, Comparison comparison) {
  if (comparison.crosses_budgets() || comparison.baseline_epoch) {
    if (!comparison.epoch) comparison.epoch = *epochs_of(rows, arm_side(comparison)).rbegin();
    if (!comparison.baseline_epoch)
      comparison.baseline_epoch = *epochs_of(rows, baseline_side(comparison)).rbegin();
    return comparison;
  }
  if (!comparison.epoch) comparison.epoch = last_common_epoch(rows, comparison);
  comparison.baseline_epoch = comparison.epoch;
  return comparison;
}

RowsByRun rows_of(const std::vector<ResultRow>& rows, const Side& side) {
  RowsByRun result;
  for (const ResultRow& row : rows)
    if (is_of(row, side) && std::abs(row.epoch - *side.epoch) < 1e-6) result[row.run()] = &row;
  if (result.empty()) throw UserError("no results of " + describe(side));
  for (const auto& [run, row] : result)
    if (row->utterances.empty())
      throw UserError(fmt::format("results of {} have no errors by utterance ({})", describe(side),
                                  run_text(run)),
                      "intervals need them: evaluate again with this version");
  return result;
}

// The units that the bootstrap draws: speakers, or utterances if any speaker is unknown.
class Units {
 public:
  explicit Units(const ResultRow& row)
      : by_speaker_(std::none_of(row.utterances.begin(), row.utterances.end(),
                                 [](const UtteranceErrors& u) { return u.speaker.empty(); })) {
    for (const UtteranceErrors& utterance : row.utterances) {
      const std::string& name = by_speaker_ ? utterance.speaker : utterance.id;
      const size_t unit = units_.emplace(name, units_.size()).first->second;
      if (!utterances_.emplace(utterance.id, UtteranceUnit{unit, utterance.words}).second)
        throw UserError(fmt::format("utterance '{}' occurs twice in a result", utterance.id));
      words_.resize(units_.size());
      words_[unit] += static_cast<double>(utterance.words);
    }
  }

  // Errors by unit; the row must cover the same utterances.
  std::vector<double> errors(const ResultRow& row, const std::string& name) const {
    std::vector<double> errors(words_.size());
    for (const UtteranceErrors& utterance : row.utterances) {
      const auto found = utterances_.find(utterance.id);
      if (found == utterances_.end() || found->second.words != utterance.words)
        throw UserError(
            fmt::format("utterance '{}' of {} differs from the other results", utterance.id, name),
            "evaluate all arms on the same set");
      errors[found->second.unit] += static_cast<double>(utterance.errors);
    }
    if (row.utterances.size() != utterances_.size())
      throw UserError(fmt::format("{} has {} utterances where the other results have {}", name,
                                  row.utterances.size(), utterances_.size()),
                      "evaluate all arms on the same set");
    return errors;
  }

  bool by_speaker() const { return by_speaker_; }
  const std::vector<double>& words() const { return words_; }

 private:
  struct UtteranceUnit {
    size_t unit;
    int64_t words;
  };
  bool by_speaker_;
  std::map<std::string, size_t> units_;
  std::map<std::string, UtteranceUnit> utterances_;
  std::vector<double> words_;
};

double pooled_wer(const std::vector<RunErrors>& runs, const std::vector<double>& words) {
  double sum = 0;
  for (const RunErrors& run : runs)
    sum += std::accumulate(run.errors.begin(), run.errors.end(), 0.0);
  return 100 * sum / static_cast<double>(runs.size()) /
         std::accumulate(words.begin(), words.end(), 0.0);
}

}  // namespace

ArmDifference compare_arms(const std::vector<ResultRow>& rows, const Comparison& comparison,
                           const BootstrapOptions& options) {
  ArmDifference result;
  result.comparison = with_epochs(rows, comparison);
  const Units units(*rows_of(rows, baseline_side(result.comparison)).begin()->second);
  const auto errors_of = [&](const Side& side) {
    NumbersByRun by_run;
    for (const auto& [run, row] : rows_of(rows, side))
      by_run[run] = units.errors(*row, describe(side));
    return by_run;
  };
  const RunDesign design = design_runs(errors_of(baseline_side(result.comparison)),
                                       errors_of(arm_side(result.comparison)), units.words());
  const PairedErrors& errors = design.errors;
  result.seeds = design.seeds;
  result.teachers = design.teachers;
  result.paired_seeds = design.paired_seeds;
  result.paired_teachers = design.paired_teachers;
  result.difference = bootstrap_difference(errors, options.confidence, options.draws, options.seed);
  result.difference.mean *= 100;
  result.difference.interval.low *= 100;
  result.difference.interval.high *= 100;
  result.adjusted_p = result.difference.p_value;
  result.baseline_wer = pooled_wer(errors.first, errors.words);
  result.arm_wer = pooled_wer(errors.second, errors.words);
  result.baseline_runs = static_cast<int64_t>(errors.first.size());
  result.arm_runs = static_cast<int64_t>(errors.second.size());
  result.units = static_cast<int64_t>(errors.words.size());
  result.by_speaker = units.by_speaker();
  return result;
}

std::vector<ArmDifference> compare_family(const std::vector<ResultRow>& rows,
                                          const std::vector<Comparison>& comparisons,
                                          const BootstrapOptions& options) {
  std::vector<ArmDifference> result;
  std::vector<double> p_values;
  for (const Comparison& comparison : comparisons) {
    result.push_back(compare_arms(rows, comparison, options));
    p_values.push_back(result.back().difference.p_value);
  }
  const std::vector<double> adjusted = holm(p_values);
  for (size_t i = 0; i < adjusted.size(); ++i) result[i].adjusted_p = adjusted[i];
  return result;
}

Differences compare_arms(const std::vector<ResultRow>& rows, const Comparison& primary,
                         const std::vector<Comparison>& secondary,
                         const BootstrapOptions& options) {
  Differences result;
  result.options = options;
  result.primary = compare_arms(rows, primary, options);
  result.secondary = compare_family(rows, secondary, options);
  return result;
}

}  // namespace scion
