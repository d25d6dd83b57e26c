#include "scion/text/utf8.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scion {
namespace {

using ::testing::ElementsAre;

TEST(Utf8, CharactersAreCodePointsAndBytesThatAreNone) {
  EXPECT_THAT(split_characters("aé日😀 b"), ElementsAre("a", "é", "日", "😀", " ", "b"));
  EXPECT_THAT(split_characters("a\xFF\xC3z\xE6\x97"),
              ElementsAre("a", "\xFF", "\xC3", "z", "\xE6", "\x97"));
}

TEST(Utf8, WhiteSpaceIsThatOfPythonsSplit) {
  EXPECT_TRUE(split_words(" \t\r\n\u3000").empty());
  EXPECT_THAT(split_words("\n one  two\tthree\u00A0four\u3000五\nsix\u2028seven\u0085 "),
              ElementsAre("one", "two", "three", "four", "五", "six", "seven"));
  // Zero-width characters join words; bytes that are not UTF-8 belong to them.
  EXPECT_THAT(split_words("a\u200Bb c\xA0\x85"), ElementsAre("a\u200Bb", "c\xA0\x85"));
  int count = 0;
  for (int32_t point = 0; point < 0x110000; ++point) count += is_white_space(point);
  EXPECT_EQ(count, 29);  // sum(chr(c).isspace() for c in range(0x110000))
}

TEST(Utf8, TheFirstWordAndTheRest) {
  const FirstWord split = split_first_word("\u00A0id\t two  words ");
  EXPECT_EQ(split.word, "id");
  EXPECT_EQ(split.rest, "two  words ");
  EXPECT_EQ(split_first_word(" ").word, "");
}

TEST(Utf8, StrippingKeepsWhatIsBetween) {
  EXPECT_EQ(strip(" \t a b\r\n\u00A0"), "a b");
  EXPECT_EQ(strip("\n \v"), "");
}

}  // namespace
}  // namespace scion
