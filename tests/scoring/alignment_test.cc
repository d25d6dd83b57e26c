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

TEST(Alignment, GoldenWordCounts) {
  const std::vector<json> pairs = golden_pairs();
  ASSERT_EQ(pairs.size(), 42);
  ErrorCounts total;
  for (const json& row : pairs) {
    const std::string reference = row["ref"], hypothesis = row["hyp"];
    EXPECT_EQ(split_words(reference), row["ref_words"].get<std::vector<std::string>>());
    EXPECT_EQ(split_words(hypothesis), row["hyp_words"].get<std::vector<std::string>>());
    EXPECT_EQ(word_errors(reference, hypothesis), golden_counts(row)) << row;
    EXPECT_EQ(count_errors(align(split_words(reference), split_words(hypothesis))),
              golden_counts(row))
        << row;
    total += word_errors(reference, hypothesis);
  }
  EXPECT_EQ(total, (ErrorCounts{29, 28, 24, 82}));
  EXPECT_DOUBLE_EQ(total.rate(), 0.6);
}

TEST(Alignment, GoldenCharacterCounts) {
  for (const json& row : golden_pairs())
    EXPECT_EQ(character_errors(std::string(row["ref"]), std::string(row["hyp"])),
              golden_counts(row["chars"]))
        << row;
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
