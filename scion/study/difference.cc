#include "scion/study/difference.h"

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

std::string describe(const Comparison& comparison, const std::string& arm) {
  std::string text = fmt::format("arm '{}' on '{}'", arm, comparison.set);
  if (!comparison.schedule.empty()) text += fmt::format(" in schedule '{}'", comparison.schedule);
  if (comparison.epoch) text += fmt::format(" at epoch {:g}", *comparison.epoch);
  if (comparison.weights != "raw") text += fmt::format(" with {} weights", comparison.weights);
  return text;
}

bool is_of(const ResultRow& row, const Comparison& comparison, const std::string& arm) {
  return row.schedule == comparison.schedule && row.set == comparison.set && row.arm == arm &&
         row.weights == comparison.weights;
}

std::set<double> epochs_of(const std::vector<ResultRow>& rows, const Comparison& comparison,
                           const std::string& arm) {
  std::set<double> epochs;
  for (const ResultRow& row : rows)
    if (is_of(row, comparison, arm)) epochs.insert(row.epoch);
  if (epochs.empty())
    throw UserError("no results of " + describe(comparison, arm),
                    "check the names against the study's results");
  return epochs;
}

double last_common_epoch(const std::vector<ResultRow>& rows, const Comparison& comparison) {
  const std::set<double> first = epochs_of(rows, comparison, comparison.first);
  const std::set<double> second = epochs_of(rows, comparison, comparison.second);
  for (auto epoch = second.rbegin(); epoch != second.rend(); ++epoch)
    if (first.contains(*epoch)) return *epoch;
  throw UserError(fmt::format("'{}' and '{}' have no evaluation on '{}' at the same epoch",
                              comparison.first, comparison.second, comparison.set));
}

RowsByRun rows_of(const std::vector<ResultRow>& rows, const Comparison& comparison,
                  const std::string& arm) {
  RowsByRun result;
  for (const ResultRow& row : rows)
    if (is_of(row, comparison, arm) && std::abs(row.epoch - *comparison.epoch) < 1e-6)
      result[row.run()] = &row;
  if (result.empty()) throw UserError("no results of " + describe(comparison, arm));
  for (const auto& [run, row] : result)
    if (row->utterances.empty())
      throw UserError(fmt::format("results of {} have no errors by utterance ({})",
                                  describe(comparison, arm), run_text(run)),
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
  result.comparison = comparison;
  if (!comparison.epoch) result.comparison.epoch = last_common_epoch(rows, comparison);
  const RowsByRun first = rows_of(rows, result.comparison, comparison.first);
  const RowsByRun second = rows_of(rows, result.comparison, comparison.second);
  const Units units(*first.begin()->second);
  const auto errors_of = [&](const RowsByRun& runs, const std::string& arm) {
    NumbersByRun errors;
    for (const auto& [run, row] : runs)
      errors[run] = units.errors(*row, describe(result.comparison, arm));
    return errors;
  };
  const RunDesign design = design_runs(errors_of(first, comparison.first),
                                       errors_of(second, comparison.second), units.words());
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

Differences compare_arms(const std::vector<ResultRow>& rows, const Comparison& primary,
                         const std::vector<Comparison>& secondary,
                         const BootstrapOptions& options) {
  Differences result;
  result.options = options;
  result.primary = compare_arms(rows, primary, options);
  std::vector<double> p_values;
  for (const Comparison& comparison : secondary) {
    result.secondary.push_back(compare_arms(rows, comparison, options));
    p_values.push_back(result.secondary.back().difference.p_value);
  }
  const std::vector<double> adjusted = holm(p_values);
  for (size_t i = 0; i < adjusted.size(); ++i) result.secondary[i].adjusted_p = adjusted[i];
  return result;
}

}  // namespace scion
