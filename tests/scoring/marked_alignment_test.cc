#include "scion/scoring/marked_alignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/random.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

MarkedAlignment aligned(const std::string& reference, const std::string& hypothesis,
                        const MarkedAlignmentOptions& options = {}) {
  return align(parse_marked_text(reference, Role::reference, "r"),
               parse_marked_text(hypothesis, Role::hypothesis, "h"), options);
}

struct CountsCase {
  const char* reference;
  const char* hypothesis;
  ErrorCounts counts;  // substitutions, insertions, deletions, hits
};

// Counts of sclite 2.4.10 -D, which both costs give.
TEST(MarkedAlignment, CountsAreThoseOfSclite) {
  const std::vector<CountsCase> cases = {
      {"a b { c d / c / e } e f g", "a b c d e f g", {0, 0, 0, 7}},
      {"a b { c / e / c d } f g", "a b c d e f g", {0, 1, 0, 6}},
      {"a b c d { e / c / @ } f g", "a b c d e f g", {0, 0, 0, 7}},
      {"a { b / cd } { e f / ef }", "a {bc / b } { e d / ef}", {0, 0, 0, 3}},
      {"a { b / cd / { g h i / gh i / g ih} bd } { e { i n / th } f / ef }",
       "a gh i bd e i n th f",
       {0, 1, 0, 8}},
      {"{the / this} is the tea",
       "th { {e / @} is {w as / i / s / @ } / d is } is {th/t} en",
       {3, 1, 0, 1}},
      {"", "d e f", {0, 3, 0, 0}},
      {"a d e", "a d @ e", {0, 0, 0, 3}},
      {"a d c", "a {e- / @} c", {0, 0, 1, 2}},
      {"b (c) d", "b e", {1, 0, 0, 2}},
      {"b (c) d", "b c e", {1, 0, 0, 2}},
      {"b (c) d", "b d e", {0, 1, 0, 3}},
      {"b (c) d", "b c i e", {1, 1, 0, 2}},
      {"b (c) d", "e", {1, 0, 1, 1}},
      {"a aa\\;a b\\;b;x\\;y;z b;tag c;;tag", "a aa\\;a b\\;b b;other c", {0, 0, 0, 5}},
      {"a b*", "a b", {0, 0, 0, 2}}};
  for (const CountsCase& c : cases)
    for (const AlignmentCosts costs : {AlignmentCosts::levenshtein, AlignmentCosts::nist})
      EXPECT_EQ(count_errors(aligned(c.reference, c.hypothesis, {.costs = costs}).words), c.counts)
          << c.reference << " | " << c.hypothesis;
}

// As sclite -F.
TEST(MarkedAlignment, FragmentsEqualWordsThatBeginOrEndSo) {
  const MarkedAlignmentOptions fragments{.fragments = true};
  EXPECT_EQ(count_errors(aligned("fi- th- -icks", "find the ticks", fragments).words),
            (ErrorCounts{0, 0, 0, 3}));
  EXPECT_EQ(count_errors(aligned("fi- th- -icks", "find the ticks").words),
            (ErrorCounts{3, 0, 0, 0}));
  EXPECT_EQ(count_errors(aligned("find", "fi-", fragments).words), (ErrorCounts{0, 0, 0, 1}));
}

TEST(MarkedAlignment, TheTextsAreThoseOfTheAlternativesTaken) {
  const MarkedAlignment result = aligned("i { um / uh } (really) (did) see", "i uh did sea");
  EXPECT_EQ(result.reference, "i uh did see");
  EXPECT_EQ(result.hypothesis, "i uh did sea");
  EXPECT_EQ(result.words[2].reference, "(really)");
  EXPECT_EQ(result.words[2].hypothesis, "");
  EXPECT_EQ(aligned("a (b c) d", "a d").reference, "a d");
}

TEST(MarkedAlignment, EqualsTheAlignmentOfTextsWithoutMarks) {
  Random random(5, RandomStream::split);
  for (int trial = 0; trial < 200; ++trial) {
    std::string texts[2];
    for (std::string& text : texts)
      for (auto left = random.below(8); left > 0; --left)
        text += {static_cast<char>('a' + random.below(3)), ' '};
    for (const AlignmentCosts costs : {AlignmentCosts::levenshtein, AlignmentCosts::nist}) {
      const auto plain = align(split_words(texts[0]), split_words(texts[1]), costs);
      const auto marked = aligned(texts[0], texts[1], {.costs = costs}).words;
      ASSERT_EQ(plain.size(), marked.size()) << texts[0] << "| " << texts[1];
      for (size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(plain[i].edit, marked[i].edit);
    }
  }
}

}  // namespace
}  // namespace scion
