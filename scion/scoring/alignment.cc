#include "scion/scoring/alignment.h"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "scion/text/utf8.h"

namespace scion {
namespace {

using Ids = std::vector<int32_t>;

// Both sequences as numbers, without what they share at their ends: an optimal alignment with
// the most hits keeps those words together.
struct Numbered {
  Ids reference, hypothesis;
  size_t prefix = 0, suffix = 0;
};

Numbered number(const std::vector<std::string>& reference,
                const std::vector<std::string>& hypothesis) {
  Numbered result;
  const size_t shorter = std::min(reference.size(), hypothesis.size());
  while (result.prefix < shorter && reference[result.prefix] == hypothesis[result.prefix])
    ++result.prefix;
  while (result.suffix < shorter - result.prefix &&
         reference[reference.size() - 1 - result.suffix] ==
             hypothesis[hypothesis.size() - 1 - result.suffix])
    ++result.suffix;
  std::unordered_map<std::string_view, int32_t> names;
  const auto fill = [&](const std::vector<std::string>& words, Ids& ids) {
    for (size_t i = result.prefix; i + result.suffix < words.size(); ++i)
      ids.push_back(names.emplace(words[i], static_cast<int32_t>(names.size())).first->second);
  };
  fill(reference, result.reference);
  fill(hypothesis, result.hypothesis);
  return result;
}

// A path's cost and its hits in one number that is smaller for the better path.
struct Weights {
  int64_t error, hit = -1;
  explicit Weights(const Numbered& words)
      : error(static_cast<int64_t>(std::min(words.reference.size(), words.hypothesis.size())) + 1) {
  }
};

// Row i of the lattice from row i - 1: best paths that end after i reference words.
void next_row(const Numbered& words, const Weights& weights, size_t i, const int64_t* previous,
              int64_t* row) {
  row[0] = static_cast<int64_t>(i) * weights.error;
  for (size_t j = 1; j <= words.hypothesis.size(); ++j) {
    const bool equal = words.reference[i - 1] == words.hypothesis[j - 1];
    const int64_t diagonal = previous[j - 1] + (equal ? weights.hit : weights.error);
    row[j] = std::min(diagonal, std::min(previous[j], row[j - 1]) + weights.error);
  }
}

std::vector<int64_t> first_row(const Numbered& words, const Weights& weights) {
  std::vector<int64_t> row(words.hypothesis.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = static_cast<int64_t>(j) * weights.error;
  return row;
}

// Edits from the end of the lattice to its start.
std::vector<Edit> trace_back(const Numbered& words, const Weights& weights,
                             const std::vector<int64_t>& lattice) {
  const size_t width = words.hypothesis.size() + 1;
  std::vector<Edit> edits;
  for (size_t i = words.reference.size(), j = words.hypothesis.size(); i > 0 || j > 0;) {
    const int64_t* node = &lattice[i * width + j];
    const bool equal = i > 0 && j > 0 && words.reference[i - 1] == words.hypothesis[j - 1];
    if (equal && *node == *(node - width - 1) + weights.hit) {
      edits.push_back(Edit::hit), --i, --j;
    } else if (i > 0 && j > 0 && !equal && *node == *(node - width - 1) + weights.error) {
      edits.push_back(Edit::substitution), --i, --j;
    } else if (j > 0 && *node == *(node - 1) + weights.error) {
      edits.push_back(Edit::insertion), --j;
    } else {
      edits.push_back(Edit::deletion), --i;
    }
  }
  return edits;
}

}  // namespace

double ErrorCounts::rate() const {
  if (reference_length() > 0)
    return static_cast<double>(errors()) / static_cast<double>(reference_length());
  return errors() == 0 ? 0 : std::numeric_limits<double>::infinity();
}

ErrorCounts& ErrorCounts::operator+=(const ErrorCounts& other) {
  substitutions += other.substitutions;
  insertions += other.insertions;
  deletions += other.deletions;
  hits += other.hits;
  return *this;
}

std::vector<AlignedWord> align(const std::vector<std::string>& reference,
                               const std::vector<std::string>& hypothesis) {
  const Numbered words = number(reference, hypothesis);
  const Weights weights(words);
  const size_t width = words.hypothesis.size() + 1;
  std::vector<int64_t> lattice = first_row(words, weights);
  lattice.resize((words.reference.size() + 1) * width);
  for (size_t i = 1; i <= words.reference.size(); ++i)
    next_row(words, weights, i, &lattice[(i - 1) * width], &lattice[i * width]);

  std::vector<Edit> edits(words.suffix, Edit::hit);
  const std::vector<Edit> middle = trace_back(words, weights, lattice);
  edits.insert(edits.end(), middle.begin(), middle.end());
  edits.insert(edits.end(), words.prefix, Edit::hit);

  std::vector<AlignedWord> alignment;
  alignment.reserve(edits.size());
  size_t i = 0, j = 0;
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    AlignedWord& word = alignment.emplace_back(AlignedWord{*edit, "", ""});
    if (*edit != Edit::insertion) word.reference = reference[i++];
    if (*edit != Edit::deletion) word.hypothesis = hypothesis[j++];
  }
  return alignment;
}

ErrorCounts count_errors(const std::vector<AlignedWord>& alignment) {
  ErrorCounts counts;
  for (const AlignedWord& word : alignment) {
    counts.hits += word.edit == Edit::hit;
    counts.substitutions += word.edit == Edit::substitution;
    counts.insertions += word.edit == Edit::insertion;
    counts.deletions += word.edit == Edit::deletion;
  }
  return counts;
}

ErrorCounts count_errors(const std::vector<std::string>& reference,
                         const std::vector<std::string>& hypothesis) {
  const Numbered words = number(reference, hypothesis);
  const Weights weights(words);
  std::vector<int64_t> previous = first_row(words, weights), row(previous.size());
  for (size_t i = 1; i <= words.reference.size(); ++i) {
    next_row(words, weights, i, previous.data(), row.data());
    std::swap(previous, row);
  }
  // The number of hits and the two lengths settle the rest.
  const int64_t best = previous.back();
  const int64_t errors = (best + weights.error - 1) / weights.error;
  const int64_t hits = errors * weights.error - best;
  const int64_t length = static_cast<int64_t>(words.reference.size());
  ErrorCounts counts;
  counts.insertions = hits - length + errors;
  counts.deletions = counts.insertions + length - static_cast<int64_t>(words.hypothesis.size());
  counts.substitutions = errors - counts.insertions - counts.deletions;
  counts.hits = hits + static_cast<int64_t>(words.prefix + words.suffix);
  return counts;
}

ErrorCounts word_errors(std::string_view reference, std::string_view hypothesis) {
  return count_errors(split_words(reference), split_words(hypothesis));
}

ErrorCounts character_errors(std::string_view reference, std::string_view hypothesis) {
  return count_errors(split_characters(strip(reference)), split_characters(strip(hypothesis)));
}

}  // namespace scion
