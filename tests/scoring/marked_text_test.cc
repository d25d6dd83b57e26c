#include "scion/scoring/marked_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/core/error_of.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

std::string error_in(const std::string& text, Role role = Role::reference) {
  return error_of<UserError>([&] { parse_marked_text(text, role, "line 3"); });
}

TEST(MarkedText, BadMarksAreNamed) {
  EXPECT_THAT(error_in("a { b / c"), HasSubstr("'{' without '}' in line 3"));
  EXPECT_THAT(error_in("a b }"), HasSubstr("'}' without '{' in line 3"));
  EXPECT_THAT(error_in("{ a / }"), HasSubstr("an empty alternative"));
  EXPECT_THAT(error_in("a ;tag"), HasSubstr("';tag' has no word before its tag"));
  EXPECT_THAT(error_in("a (b)", Role::hypothesis), HasSubstr("'(b)'"));
  EXPECT_THAT(error_in(std::string(1000, '{')), HasSubstr("too deep"));
}

TEST(MarkedText, WhatIsNoMarkIsAWord) {
  const MarkedText words = parse_marked_text("a / b (c d () e@f", Role::hypothesis, "x");
  ASSERT_EQ(words.size(), 7);
  EXPECT_EQ(words[1].word, "/");
  EXPECT_EQ(words[3].word, "(c");
  EXPECT_EQ(words[6].word, "e@f");
}

}  // namespace
}  // namespace scion
