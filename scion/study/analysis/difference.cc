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

// One arm of a comparison, where it stands.
struct Side {
  std::string arm, schedule, set, weights;
  std::optional<double> epoch;
};

Side first_side(const Comparison& comparison) {
  return {comparison.first, comparison.schedule_of_first(), comparison.set, comparison.weights,
          comparison.first_epoch};
}

Side second_side(const Comparison& comparison) {
  return {comparison.second, comparison.schedule, comparison.set, comparison.weights,
          comparison.epoch};
}

std::string describe(const Side& side) {
  std::string text = fmt::format("arm '{}' on '{}'", side.arm, side.set);
  if (!side.schedule.empty()) text += fmt::format(" in schedule '{}'", side.schedule);
  if (side.epoch) text += fmt::format(" at epoch {:g}", *side.epoch);
  if (side.weights != "raw") text += fmt::format(" with {} weights", side.weights);
  return text;
}

bool is_of(const ResultRow& row, const Side& side) {
  return row.schedule == side.schedule && row.set == side.set && row.arm == side.arm &&
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
  const std::set<double> first = epochs_of(rows, first_side(comparison));
  const std::set<double> second = epochs_of(rows, second_side(comparison));
  for (auto epoch = second.rbegin(); epoch != second.rend(); ++epoch)
    if (first.contains(*epoch)) return *epoch;
  throw UserError(fmt::format("'{}' and '{}' have no evaluation on '{}' at the same epoch",
                              comparison.first, comparison.second, comparison.set));
}

// The comparison with both epochs.
Comparison with_epochs(const std::vector<ResultRow>& rows, Comparison comparison) {
  if (comparison.crosses_schedules() || comparison.first_epoch) {
    if (!comparison.epoch) comparison.epoch = *epochs_of(rows, second_side(comparison)).rbegin();
    if (!comparison.first_epoch)
      comparison.first_epoch = *epochs_of(rows, first_side(comparison)).rbegin();
    return comparison;
  }
  if (!comparison.epoch) comparison.epoch = last_common_epoch(rows, comparison);
  comparison.first_epoch = comparison.epoch;
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

// What the bootstrap draws: speakers, or utterances where one of them has no speaker.
class Units {
 public:
  explicit Units(const ResultRow& row)
      : by_speaker_(std::none_of(row.utterances.begin(), row.utterances.end(),
                                 [](const UtteranceErrors& u) { return u.speaker.empty(); })) {
    for (const UtteranceErrors& utterance : row.utterances) {
      const std::string& name = by_speaker_ ? utterance.speaker : utterance.id;
      const size_t unit = units_.emplace(name, units_.size()).first->second;
      if (!places_.emplace(utterance.id, Place{unit, utterance.words}).second)
        throw UserError(fmt::format("utterance '{}' occurs twice in a result", utterance.id));
      words_.resize(units_.size());
      words_[unit] += static_cast<double>(utterance.words);
    }
  }

  // Errors by unit of a row that must be over the same utterances.
  std::vector<double> errors(const ResultRow& row, const std::string& name) const {
    std::vector<double> errors(words_.size());
    for (const UtteranceErrors& utterance : row.utterances) {
      const auto found = places_.find(utterance.id);
      if (found == places_.end() || found->second.words != utterance.words)
        throw UserError(fmt::format("utterance '{}' of {} is not the same in the other results",
                                    utterance.id, name),
                        "evaluate all arms on the same set");
      errors[found->second.unit] += static_cast<double>(utterance.errors);
    }
    if (row.utterances.size() != places_.size())
      throw UserError(fmt::format("{} has {} utterances where the other results have {}", name,
                                  row.utterances.size(), places_.size()),
                      "evaluate all arms on the same set");
    return errors;
  }

  bool by_speaker() const { return by_speaker_; }
  const std::vector<double>& words() const { return words_; }

 private:
  struct Place {
    size_t unit;
    int64_t words;
  };
  bool by_speaker_;
  std::map<std::string, size_t> units_;
  std::map<std::string, Place> places_;
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
  const Side first_place = first_side(result.comparison);
  const Side second_place = second_side(result.comparison);
  const RowsByRun first = rows_of(rows, first_place);
  const RowsByRun second = rows_of(rows, second_place);
  const Units units(*first.begin()->second);
  const auto errors_of = [&](const RowsByRun& runs, const Side& side) {
    NumbersByRun errors;
    for (const auto& [run, row] : runs) errors[run] = units.errors(*row, describe(side));
    return errors;
  };
  const RunDesign design =
      design_runs(errors_of(first, first_place), errors_of(second, second_place), units.words());
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
  result.first_wer = pooled_wer(errors.first, errors.words);
  result.second_wer = pooled_wer(errors.second, errors.words);
  result.first_runs = static_cast<int64_t>(errors.first.size());
  result.second_runs = static_cast<int64_t>(errors.second.size());
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
