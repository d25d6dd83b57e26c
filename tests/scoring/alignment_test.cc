#include "scion/scoring/alignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "scion/core/random.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

std::vector<json> golden_pairs() {
  std::ifstream file(SCION_SOURCE_DIR "/tests/golden/scoring/jiwer_pairs.jsonl");
  std::vector<json> pairs;
  for (std::string line; std::getline(file, line);) pairs.push_back(json::parse(line));
  return pairs;
}

ErrorCounts golden_counts(const json& row) {
  return {row["substitutions"], row["insertions"], row["deletions"], row["hits"]};
}

// jiwer's default splits at U+0020 alone.
bool has_other_white_space(const json& row) {
  const std::string texts = std::string(row["ref"]) + std::string(row["hyp"]);
  return texts.find('\t') != std::string::npos || texts.find("\u00A0") != std::string::npos;
}

TEST(Alignment, GoldenWordCounts) {
  const std::vector<json> pairs = golden_pairs();
  ASSERT_EQ(pairs.size(), 42);
  ErrorCounts total;
  for (const json& row : pairs) {
    const std::string reference = row["ref"], hypothesis = row["hyp"];
    if (has_other_white_space(row)) {
      EXPECT_EQ(word_errors(reference, hypothesis).errors(), 0) << row;
      continue;
    }
    EXPECT_EQ(split_words(reference), row["ref_words"].get<std::vector<std::string>>());
    EXPECT_EQ(split_words(hypothesis), row["hyp_words"].get<std::vector<std::string>>());
    EXPECT_EQ(word_errors(reference, hypothesis), golden_counts(row)) << row;
    EXPECT_EQ(count_errors(align(split_words(reference), split_words(hypothesis))),
              golden_counts(row))
        << row;
    total += word_errors(reference, hypothesis);
  }
  EXPECT_EQ(total, (ErrorCounts{27, 26, 24, 80}));
}

TEST(Alignment, GoldenCharacterCounts) {
  for (const json& row : golden_pairs()) {
    const std::string reference = row["ref"];
    const ErrorCounts counts = character_errors(reference, std::string(row["hyp"]));
    if (has_other_white_space(row) || reference.find("  ") != std::string::npos)
      EXPECT_EQ(counts.errors(), 0) << row;  // one space stands for any white space
    else
      EXPECT_EQ(counts, golden_counts(row["chars"])) << row;
  }
}

// As sclite prints "ha ha x" against "ha x".
TEST(Alignment, OfARepeatedWordTheFirstIsDeletedOrInserted) {
  const auto edits = [](const std::string& reference, const std::string& hypothesis) {
    std::vector<Edit> result;
    for (const AlignedWord& word : align(split_words(reference), split_words(hypothesis)))
      result.push_back(word.edit);
    return result;
  };
  EXPECT_THAT(edits("ha ha x", "ha x"), ElementsAre(Edit::deletion, Edit::hit, Edit::hit));
  EXPECT_THAT(edits("a long", "a long long"), ElementsAre(Edit::hit, Edit::insertion, Edit::hit));
  EXPECT_THAT(edits("a a b", "a c"), ElementsAre(Edit::deletion, Edit::hit, Edit::substitution));
}

// sclite's costs: three deletions and insertions with two hits, 18, before five substitutions, 20.
TEST(Alignment, NistCostsPreferHitsBetweenGaps) {
  const std::vector<std::string> reference = {"a", "b", "c", "d", "h"};
  const std::vector<std::string> hypothesis = {"d", "h", "x", "y", "z"};
  EXPECT_EQ(count_errors(align(reference, hypothesis)), (ErrorCounts{5, 0, 0, 0}));
  EXPECT_EQ(count_errors(align(reference, hypothesis, AlignmentCosts::nist)),
            (ErrorCounts{0, 3, 3, 2}));
}

TEST(Alignment, PrefersHits) {
  const auto alignment = align({"the", "the", "cat"}, {"the", "cat", "the"});
  EXPECT_EQ(count_errors(alignment), (ErrorCounts{0, 1, 1, 2}));
}

// Cost, then hits, of the best alignment, by trying everything.
std::pair<int64_t, int64_t> brute_force(const std::vector<std::string>& r,
                                        const std::vector<std::string>& h, size_t i, size_t j) {
  if (i == r.size()) return {static_cast<int64_t>(h.size() - j), 0};
  if (j == h.size()) return {static_cast<int64_t>(r.size() - i), 0};
  const auto better = [](std::pair<int64_t, int64_t> a, std::pair<int64_t, int64_t> b) {
    return a.first < b.first || (a.first == b.first && a.second > b.second) ? a : b;
  };
  auto both = brute_force(r, h, i + 1, j + 1);
  ++(r[i] == h[j] ? both.second : both.first);
  auto deleted = brute_force(r, h, i + 1, j), inserted = brute_force(r, h, i, j + 1);
  ++deleted.first, ++inserted.first;
  return better(both, better(deleted, inserted));
}

TEST(Alignment, AgreesWithBruteForceAndItself) {
  Random random(3, RandomStream::split);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<std::string> reference(random.below(6)), hypothesis(random.below(6));
    for (auto* words : {&reference, &hypothesis})
      for (std::string& word : *words) word = static_cast<char>('a' + random.below(3));
    const auto [errors, hits] = brute_force(reference, hypothesis, 0, 0);
    const auto alignment = align(reference, hypothesis);
    const ErrorCounts counts = count_errors(alignment);
    EXPECT_EQ(counts.errors(), errors);
    EXPECT_EQ(counts.hits, hits);
    EXPECT_EQ(counts, count_errors(reference, hypothesis));

    std::vector<std::string> reference_again, hypothesis_again;
    for (const AlignedWord& word : alignment) {
      if (word.edit != Edit::insertion) reference_again.push_back(word.reference);
      if (word.edit != Edit::deletion) hypothesis_again.push_back(word.hypothesis);
      EXPECT_EQ(word.edit == Edit::hit, word.reference == word.hypothesis);
    }
    EXPECT_EQ(reference_again, reference);
    EXPECT_EQ(hypothesis_again, hypothesis);
  }
}

TEST(Alignment, RatesOfNothing) {
  EXPECT_EQ(word_errors("", "").rate(), 0);
  EXPECT_TRUE(std::isinf(word_errors("", "a b").rate()));
  EXPECT_EQ(word_errors("a b", "").rate(), 1);
}

}  // namespace
}  // namespace scion
