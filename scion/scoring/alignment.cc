#include "scion/scoring/alignment.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "scion/text/utf8.h"

namespace scion {
namespace {

using Ids = std::vector<int32_t>;

// Both sequences as numbers, without what they share at their ends: hits there are part of an
// optimal alignment.
struct Numbered {
  Ids reference, hypothesis;
  size_t prefix = 0, suffix = 0;
};

enum class Shared { both_ends, end };

Numbered number(const std::vector<std::string>& reference,
                const std::vector<std::string>& hypothesis, Shared shared) {
  Numbered result;
  const size_t shorter = std::min(reference.size(), hypothesis.size());
  while (result.suffix < shorter && reference[reference.size() - 1 - result.suffix] ==
                                        hypothesis[hypothesis.size() - 1 - result.suffix])
    ++result.suffix;
  while (shared == Shared::both_ends && result.prefix < shorter - result.suffix &&
         reference[result.prefix] == hypothesis[result.prefix])
    ++result.prefix;
  std::unordered_map<std::string_view, int32_t> names;
  const auto fill = [&](const std::vector<std::string>& words, Ids& ids) {
    for (size_t i = result.prefix; i + result.suffix < words.size(); ++i)
      ids.push_back(names.emplace(words[i], static_cast<int32_t>(names.size())).first->second);
  };
  fill(reference, result.reference);
  fill(hypothesis, result.hypothesis);
  return result;
}

// The cost of one edit. A path's errors and hits are one number, smaller for the better path.
struct EditCosts {
  int64_t hit, substitution, gap;
};

EditCosts costs_of(AlignmentCosts costs, const Numbered& words) {
  if (costs == AlignmentCosts::nist) return {0, 4, 3};
  const auto error =
      static_cast<int64_t>(std::min(words.reference.size(), words.hypothesis.size())) + 1;
  return {-1, error, error};
}

// Row i of the lattice from row i - 1: best paths that end after i reference words. `take(j, edit)`
// is told the last edit of each, of equal ones sclite's choice.
template <class Take>
void next_row(const Numbered& words, const EditCosts& costs, size_t i, const int64_t* previous,
              int64_t* row, const Take& take) {
  row[0] = static_cast<int64_t>(i) * costs.gap;
  take(0, Edit::deletion);
  for (size_t j = 1; j <= words.hypothesis.size(); ++j) {
    const bool equal = words.reference[i - 1] == words.hypothesis[j - 1];
    const int64_t diagonal = previous[j - 1] + (equal ? costs.hit : costs.substitution);
    const int64_t deletion = previous[j] + costs.gap, insertion = row[j - 1] + costs.gap;
    row[j] = std::min(diagonal, std::min(deletion, insertion));
    take(j, row[j] == diagonal    ? (equal ? Edit::hit : Edit::substitution)
            : row[j] == insertion ? Edit::insertion
                                  : Edit::deletion);
  }
}

std::vector<int64_t> first_row(const Numbered& words, const EditCosts& costs) {
  std::vector<int64_t> row(words.hypothesis.size() + 1);
  for (size_t j = 0; j < row.size(); ++j) row[j] = static_cast<int64_t>(j) * costs.gap;
  return row;
}

// The last edit of every best path, two bits each: recordings of hours are aligned as a whole.
class Edits {
 public:
  explicit Edits(size_t size) : bits_((size + 3) / 4) {}
  void set(size_t i, Edit edit) {
    bits_[i / 4] |= static_cast<uint8_t>(static_cast<unsigned>(edit) << (i % 4 * 2));
  }
  Edit at(size_t i) const { return static_cast<Edit>(bits_[i / 4] >> (i % 4 * 2) & 3U); }

 private:
  std::vector<uint8_t> bits_;
};

// Edits of the best path, from its end to its start.
std::vector<Edit> best_path(const Numbered& words, const EditCosts& costs) {
  const size_t width = words.hypothesis.size() + 1;
  std::vector<int64_t> previous = first_row(words, costs), row(width);
  Edits last((words.reference.size() + 1) * width);
  for (size_t j = 1; j < width; ++j) last.set(j, Edit::insertion);
  for (size_t i = 1; i <= words.reference.size(); ++i) {
    next_row(words, costs, i, previous.data(), row.data(),
             [&](size_t j, Edit edit) { last.set(i * width + j, edit); });
    std::swap(previous, row);
  }
  std::vector<Edit> edits;
  for (size_t i = words.reference.size(), j = words.hypothesis.size(); i > 0 || j > 0;) {
    edits.push_back(last.at(i * width + j));
    i -= edits.back() != Edit::insertion;
    j -= edits.back() != Edit::deletion;
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
                               const std::vector<std::string>& hypothesis, AlignmentCosts costs) {
  const Numbered words = number(reference, hypothesis, Shared::end);
  std::vector<Edit> edits(words.suffix, Edit::hit);
  const std::vector<Edit> rest = best_path(words, costs_of(costs, words));
  edits.insert(edits.end(), rest.begin(), rest.end());

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
  const Numbered words = number(reference, hypothesis, Shared::both_ends);
  const EditCosts costs = costs_of(AlignmentCosts::levenshtein, words);
  std::vector<int64_t> previous = first_row(words, costs), row(previous.size());
  for (size_t i = 1; i <= words.reference.size(); ++i) {
    next_row(words, costs, i, previous.data(), row.data(), [](size_t, Edit) {});
    std::swap(previous, row);
  }
  // The number of hits and the two lengths settle the rest.
  const int64_t best = previous.back();
  const int64_t errors = (best + costs.gap - 1) / costs.gap;
  const int64_t hits = errors * costs.gap - best;
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
  const auto characters = [](std::string_view text) {
    return split_characters(fmt::format("{}", fmt::join(split_words(text), " ")));
  };
  return count_errors(characters(reference), characters(hypothesis));
}

}  // namespace scion
