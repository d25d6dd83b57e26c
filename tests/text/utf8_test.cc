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

TEST(Utf8, WordsAreSeparatedBySpacesAlone) {
  EXPECT_TRUE(split_words(" \t\r\n").empty());
  EXPECT_THAT(split_words("\n one  two\tthree "), ElementsAre("one", "two\tthree"));
}

TEST(Utf8, StrippingKeepsWhatIsBetween) {
  EXPECT_EQ(strip(" \t a b\r\n"), "a b");
  EXPECT_EQ(strip("\n \v"), "");
}

}  // namespace
}  // namespace scion
