#include "scion/scoring/bootstrap.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "scion/core/error.h"
#include "scion/core/random.h"

namespace scion {
namespace {

// In 0 … n-1 without bias from one 32-bit number (Lemire, 2019): draws number tens of millions.
size_t draw_index(Random& random, uint32_t n) {
  uint64_t product = static_cast<uint64_t>(random.bits()) * n;
  if (static_cast<uint32_t>(product) < n) {
    const uint32_t threshold = -n % n;
    while (static_cast<uint32_t>(product) < threshold)
      product = static_cast<uint64_t>(random.bits()) * n;
  }
  return product >> 32;
}

// Number of times that each item is drawn in `draws` draws with replacement.
void draw_counts(Random& random, std::vector<double>& counts, size_t draws) {
  std::fill(counts.begin(), counts.end(), 0.0);
  const uint32_t n = static_cast<uint32_t>(counts.size());
  for (size_t i = 0; i < draws; ++i) ++counts[draw_index(random, n)];
}

// Linear interpolation between order statistics.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place);
  const double fraction = place - static_cast<double>(below);
  if (fraction == 0 || sorted[below] == sorted[below + 1]) return sorted[below];
  return sorted[below] + fraction * (sorted[below + 1] - sorted[below]);
}

Interval percentile_interval(std::vector<double> values, double confidence) {
  std::sort(values.begin(), values.end());
  return {quantile(values, (1 - confidence) / 2), quantile(values, (1 + confidence) / 2)};
}

void check_draws(double confidence, int64_t draws) {
  if (!(confidence > 0 && confidence < 1))
    throw UserError(fmt::format("a confidence of {} is not between 0 and 1", confidence));
  if (draws < 1) throw UserError(fmt::format("{} bootstrap draws are too few", draws));
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

using LevelCounts = std::vector<std::vector<double>>;  // [factor][level] how often it was drawn

double run_weight(const RunErrors& run, const LevelCounts& counts) {
  double weight = 1;
  for (size_t f = 0; f < counts.size(); ++f)
    if (run.levels[f] != no_level) weight *= counts[f][run.levels[f]];
  return weight;
}

// Mean over (weighted) runs of the errors on (weighted) units.
double mean_errors(const std::vector<RunErrors>& runs, const LevelCounts& counts,
                   const std::vector<double>& unit_counts) {
  double sum = 0, weights = 0;
  for (const RunErrors& run : runs) {
    const double weight = run_weight(run, counts);
    if (weight > 0) sum += weight * dot(run.errors, unit_counts);
    weights += weight;
  }
  return sum / weights;
}

// All combinations of a system's levels, each once: no draw then leaves it without a run.
void check_crossed(const PairedErrors& errors, const std::vector<RunErrors>& system) {
  std::set<std::vector<size_t>> runs;
  size_t combinations = 1;
  for (const RunErrors& run : system) runs.insert(run.levels);
  for (size_t f = 0; f < errors.factors.size(); ++f) {
    std::set<size_t> levels;
    for (const RunErrors& run : system) levels.insert(run.levels[f]);
    const bool whole =
        levels.contains(no_level) ? levels.size() == 1 : levels.size() == errors.factors[f];
    if (!whole) combinations = 0;
    combinations *= levels.size();
  }
  if (runs.size() != combinations || system.size() != combinations)
    throw UserError(
        fmt::format("{} runs of a system are not all combinations of their factors", system.size()),
        "compare arms that have a run for every teacher and seed");
}

void check_paired(const PairedErrors& errors) {
  if (errors.words.empty() || errors.first.empty() || errors.second.empty())
    throw UserError("two systems cannot be compared without units or runs");
  for (const auto* system : {&errors.first, &errors.second}) {
    for (const RunErrors& run : *system) {
      if (run.errors.size() != errors.words.size())
        throw UserError(fmt::format("a run has errors of {} units where {} units have word counts",
                                    run.errors.size(), errors.words.size()),
                        "score all runs of both systems on the same utterances");
      if (run.levels.size() != errors.factors.size())
        throw UserError(fmt::format("a run has {} levels of {} factors", run.levels.size(),
                                    errors.factors.size()));
    }
    check_crossed(errors, *system);
  }
  if (std::accumulate(errors.words.begin(), errors.words.end(), 0.0) <= 0)
    throw UserError("two systems cannot be compared on no reference words");
}

// A share of draws on one side of zero, never 0: a finite number of draws proves no more.
double tail(const std::vector<double>& values, bool positive) {
  const auto beyond = std::count_if(values.begin(), values.end(),
                                    [&](double v) { return positive ? v >= 0 : v <= 0; });
  return static_cast<double>(beyond + 1) / static_cast<double>(values.size() + 1);
}

}  // namespace

Interval bootstrap_rate(const std::vector<ErrorCounts>& units, double confidence, int64_t draws,
                        uint64_t seed) {
  check_draws(confidence, draws);
  if (units.empty()) throw UserError("an interval of no utterances was asked for");
  std::vector<std::pair<int64_t, int64_t>> counts;
  for (const ErrorCounts& unit : units) counts.emplace_back(unit.errors(), unit.reference_length());
  Random random(seed, RandomStream::bootstrap);
  std::vector<double> rates(static_cast<size_t>(draws));
  for (double& rate : rates) {
    int64_t errors = 0, words = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      const auto& unit = counts[draw_index(random, static_cast<uint32_t>(counts.size()))];
      errors += unit.first;
      words += unit.second;
    }
    rate = errors == 0 ? 0 : static_cast<double>(errors) / static_cast<double>(words);
  }
  return percentile_interval(std::move(rates), confidence);
}

Difference bootstrap_difference(const PairedErrors& errors, double confidence, int64_t draws,
                                uint64_t seed) {
  check_draws(confidence, draws);
  check_paired(errors);
  LevelCounts levels;
  for (const size_t count : errors.factors) levels.emplace_back(count, 1.0);
  std::vector<double> units(errors.words.size(), 1);
  const auto difference = [&] {
    return (mean_errors(errors.second, levels, units) - mean_errors(errors.first, levels, units)) /
           dot(errors.words, units);
  };

  Difference result;
  result.mean = difference();
  Random random(seed, RandomStream::bootstrap, 1);
  std::vector<double> drawn;
  drawn.reserve(static_cast<size_t>(draws));
  while (drawn.size() < static_cast<size_t>(draws)) {
    for (std::vector<double>& counts : levels)
      draw_counts(random, counts, std::max<size_t>(1, counts.size() - 1));
    do draw_counts(random, units, units.size());
    while (dot(errors.words, units) <= 0);  // only silence was drawn
    drawn.push_back(difference());
  }
  result.p_value = std::min(1.0, 2 * std::min(tail(drawn, true), tail(drawn, false)));
  result.interval = percentile_interval(std::move(drawn), confidence);
  return result;
}

std::vector<double> holm(const std::vector<double>& p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const double raised = static_cast<double>(order.size() - rank) * p_values[order[rank]];
    largest = std::max(largest, std::min(1.0, raised));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

}  // namespace scion
