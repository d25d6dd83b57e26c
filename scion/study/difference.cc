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

using RowsBySeed = std::map<int64_t, const ResultRow*>;

std::string describe(const Comparison& comparison, const std::string& arm) {
  std::string text = fmt::format("arm '{}' on '{}'", arm, comparison.set);
  if (!comparison.schedule.empty()) text += fmt::format(" in schedule '{}'", comparison.schedule);
  if (comparison.epoch) text += fmt::format(" at epoch {:g}", *comparison.epoch);
  return text;
}

std::set<double> epochs_of(const std::vector<ResultRow>& rows, const Comparison& comparison,
                           const std::string& arm) {
  std::set<double> epochs;
  for (const ResultRow& row : rows)
    if (row.schedule == comparison.schedule && row.set == comparison.set && row.arm == arm)
      epochs.insert(row.epoch);
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

RowsBySeed rows_of(const std::vector<ResultRow>& rows, const Comparison& comparison,
                   const std::string& arm) {
  RowsBySeed result;
  for (const ResultRow& row : rows)
    if (row.schedule == comparison.schedule && row.set == comparison.set && row.arm == arm &&
        std::abs(row.epoch - *comparison.epoch) < 1e-6)
      result[row.seed] = &row;
  if (result.empty()) throw UserError("no results of " + describe(comparison, arm));
  for (const auto& [seed, row] : result)
    if (row->utterances.empty())
      throw UserError(fmt::format("results of {} have no errors by utterance (seed {})",
                                  describe(comparison, arm), seed),
                      "intervals need them: evaluate again with this version");
  return result;
}

// Leaves the seeds that both have, if there are any.
bool keep_common_seeds(RowsBySeed& first, RowsBySeed& second) {
  const auto shared = [&](const auto& entry) {
    return first.contains(entry.first) && second.contains(entry.first);
  };
  if (std::none_of(first.begin(), first.end(), shared)) return false;
  std::set<int64_t> seeds;
  for (const auto& entry : first)
    if (shared(entry)) seeds.insert(entry.first);
  const auto is_other = [&](const auto& entry) { return !seeds.contains(entry.first); };
  std::erase_if(first, is_other);
  std::erase_if(second, is_other);
  return true;
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

double pooled_wer(const std::vector<std::vector<double>>& errors,
                  const std::vector<double>& words) {
  double sum = 0;
  for (const std::vector<double>& seed : errors)
    sum += std::accumulate(seed.begin(), seed.end(), 0.0);
  return 100 * sum / static_cast<double>(errors.size()) /
         std::accumulate(words.begin(), words.end(), 0.0);
}

}  // namespace

ArmDifference compare_arms(const std::vector<ResultRow>& rows, const Comparison& comparison,
                           const BootstrapOptions& options) {
  ArmDifference result;
  result.comparison = comparison;
  if (!comparison.epoch) result.comparison.epoch = last_common_epoch(rows, comparison);
  RowsBySeed first = rows_of(rows, result.comparison, comparison.first);
  RowsBySeed second = rows_of(rows, result.comparison, comparison.second);
  result.paired_seeds = keep_common_seeds(first, second);

  const Units units(*first.begin()->second);
  PairedErrors errors;
  errors.words = units.words();
  for (const auto& [seed, row] : first)
    errors.first.push_back(units.errors(*row, describe(result.comparison, comparison.first)));
  for (const auto& [seed, row] : second)
    errors.second.push_back(units.errors(*row, describe(result.comparison, comparison.second)));

  result.difference = bootstrap_difference(errors, options.confidence, options.draws, options.seed);
  result.difference.mean *= 100;
  result.difference.interval.low *= 100;
  result.difference.interval.high *= 100;
  result.adjusted_p = result.difference.p_value;
  result.first_wer = pooled_wer(errors.first, errors.words);
  result.second_wer = pooled_wer(errors.second, errors.words);
  result.first_seeds = static_cast<int64_t>(first.size());
  result.second_seeds = static_cast<int64_t>(second.size());
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
