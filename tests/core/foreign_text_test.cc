#include "scion/core/foreign_text.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"

namespace scion {
namespace {

using namespace std::string_literals;

TEST(ForeignText, Utf8IsWhatUnicodeCallsUtf8) {
  for (const std::string text : {"", "abc", "é", "你", "😀", "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF"})
    EXPECT_EQ(utf8_prefix_length(text), text.size()) << text;
  for (const std::string bad : {"\xE9", "\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                                "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xFF", "\x80", "\xE4\xBD"})
    EXPECT_EQ(utf8_prefix_length("ab" + bad), 2u) << printable(bad);
}

TEST(ForeignText, ControlCharactersAreShownAsEscapes) {
  EXPECT_EQ(printable("caf\xc3\xa9 你"), "café 你");
  EXPECT_EQ(printable("a\0b\tc\rd\x1b[31m\x7f"s), "a\\x00b\\tc\\rd\\x1b[31m\\x7f");
  EXPECT_EQ(printable("caf\xe9 ol"), "caf\\xe9 ol");
  EXPECT_EQ(printable("\xc2\x9b \xe2\x80\xae"), "\\u009b \\u202e");
  EXPECT_EQ(printable("two\nlines"), "two\nlines");
}

TEST(ForeignText, AnErrorShowsWhatFollowsAZeroByte) {
  const UserError error("utterance '\0x' is missing"s, "mend \x1b"s);
  EXPECT_STREQ(error.what(), "utterance '\\x00x' is missing");
  EXPECT_EQ(error.hint(), "mend \\x1b");
}

}  // namespace
}  // namespace scion
