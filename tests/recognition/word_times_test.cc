#include "scion/recognition/word_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "scion/text/utf8.h"

namespace scion {
namespace {

using ::testing::DoubleNear;

const std::vector<std::string>& word_times_text() {
  static const std::vector<std::string> text = {"one two two", "two one", "ten net one"};
  return text;
}

// Every token in its own frame, two frames apart.
void expect_times(const Tokenizer& tokenizer, const std::string& text) {
  Hypothesis hypothesis;
  hypothesis.tokens = tokenizer.encode(text);
  for (size_t i = 0; i < hypothesis.tokens.size(); ++i)
    hypothesis.frames.push_back(static_cast<int64_t>(2 * i + 1));
  const std::vector<TimedWord> words = word_times(hypothesis, tokenizer, 0.04);
  std::string joined;
  double end = 0;
  for (const TimedWord& word : words) {
    joined += (joined.empty() ? "" : " ") + word.word;
    EXPECT_GE(word.start, end) << text;
    EXPECT_GE(word.duration, 0.04 - 1e-12) << text;
    end = word.start + word.duration;
  }
  EXPECT_EQ(joined, text);
  EXPECT_LE(end, 0.04 * static_cast<double>(2 * hypothesis.tokens.size()) + 1e-9);
}

TEST(WordTimes, AWordLastsAsLongAsItsLastTokensDuration) {
  const Tokenizer tokenizer = Tokenizer::train(word_times_text(), {PieceKind::character, 12});
  Hypothesis hypothesis;
  hypothesis.tokens = tokenizer.encode("one");
  for (size_t i = 0; i < hypothesis.tokens.size(); ++i)
    hypothesis.frames.push_back(static_cast<int64_t>(10 + 3 * i));
  hypothesis.durations = std::vector<int64_t>(hypothesis.tokens.size(), 3);
  const double last = 0.04 * static_cast<double>(hypothesis.frames.back());
  EXPECT_NEAR(word_times(hypothesis, tokenizer, 0.04).back().duration, last + 0.12 - 0.4, 1e-9);
  hypothesis.durations.back() = 0;
  EXPECT_NEAR(word_times(hypothesis, tokenizer, 0.04).back().duration, last + 0.04 - 0.4, 1e-9);
}

TEST(WordTimes, FollowTheTokensFrames) {
  for (const PieceKind kind : {PieceKind::character, PieceKind::unigram}) {
    const Tokenizer tokenizer = Tokenizer::train(word_times_text(), {kind, 12});
    for (const std::string& text : word_times_text()) expect_times(tokenizer, text);
  }
}

TEST(WordTimes, CharactersGiveTheirWordsTimes) {
  const Tokenizer tokenizer = Tokenizer::train(word_times_text(), {PieceKind::character});
  Hypothesis hypothesis{tokenizer.encode("one two"), {}};
  ASSERT_EQ(hypothesis.tokens.size(), 7U);  // o n e, a space, t w o
  hypothesis.frames = {3, 3, 4, 10, 12, 13, 15};
  const std::vector<TimedWord> words = word_times(hypothesis, tokenizer, 0.04);
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[0].word, "one");
  EXPECT_THAT(words[0].start, DoubleNear(0.12, 1e-12));
  EXPECT_THAT(words[0].duration, DoubleNear(0.08, 1e-12));
  EXPECT_EQ(words[1].word, "two");
  EXPECT_THAT(words[1].start, DoubleNear(0.48, 1e-12));
  EXPECT_THAT(words[1].duration, DoubleNear(0.16, 1e-12));
}

// The times by the definition: which words each further token changes.
std::vector<TimedWord> times_by_prefixes(const Hypothesis& hypothesis, const Tokenizer& tokenizer) {
  std::vector<TimedWord> words;
  for (size_t i = 0; i < hypothesis.tokens.size(); ++i) {
    const std::vector<std::string> text = split_words(tokenizer.decode(
        {hypothesis.tokens.begin(), hypothesis.tokens.begin() + std::ptrdiff_t(i) + 1}));
    words.resize(std::min(words.size(), text.size()));
    const auto start = static_cast<double>(hypothesis.frames[i]);
    for (size_t w = 0; w < text.size(); ++w)
      if (w == words.size())
        words.push_back({text[w], start, 1});
      else if (words[w].word != text[w])
        words[w] = {text[w], words[w].start, start + 1 - words[w].start};
  }
  return words;
}

TEST(WordTimes, AreThoseOfTheDefinitionForAnyTokens) {
  std::mt19937 random(7);
  for (const PieceKind kind : {PieceKind::character, PieceKind::bpe, PieceKind::unigram}) {
    const Tokenizer tokenizer = Tokenizer::train(word_times_text(), {kind, 12});
    std::uniform_int_distribution<int64_t> piece(1, tokenizer.size() - 1);
    for (int round = 0; round < 50; ++round) {
      Hypothesis hypothesis;
      for (int64_t i = 0; i < 30; ++i) {
        hypothesis.tokens.push_back(piece(random));
        hypothesis.frames.push_back(i);
      }
      const std::vector<TimedWord> expected = times_by_prefixes(hypothesis, tokenizer);
      const std::vector<TimedWord> found = word_times(hypothesis, tokenizer, 1);
      ASSERT_EQ(found.size(), expected.size());
      for (size_t w = 0; w < found.size(); ++w) {
        EXPECT_EQ(found[w].word, expected[w].word);
        EXPECT_EQ(found[w].start, expected[w].start);
        EXPECT_EQ(found[w].duration, expected[w].duration);
      }
    }
  }
}

TEST(WordTimes, NoTokensHaveNoWords) {
  const Tokenizer tokenizer = Tokenizer::train(word_times_text(), {PieceKind::character});
  EXPECT_TRUE(word_times({}, tokenizer, 0.04).empty());
}

}  // namespace
}  // namespace scion
