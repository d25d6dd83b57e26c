#include "scion/core/span.h"

#include <gtest/gtest.h>

namespace scion {
namespace {

TEST(Span, CountsEpochsOrUpdates) {
  EXPECT_EQ(Span::parse("2e")->in_updates(50), 100);
  EXPECT_EQ(Span::parse("0.5e")->in_updates(50), 25);
  EXPECT_EQ(Span::parse("7u")->in_updates(50), 7);
  EXPECT_EQ(Span::epochs(1.5).in_updates(3), 5);
}

TEST(Span, IsWrittenAsItWasRead) {
  for (const char* text : {"2e", "0.4e", "500u", "0u"}) EXPECT_EQ(Span::parse(text)->text(), text);
}

TEST(Span, NeedsACountAndAUnit) {
  for (const char* text : {"", "7", "e", "-1e", "2 e", "2m", "2ee", "infe", "nanu"})
    EXPECT_FALSE(Span::parse(text)) << text;
}

}  // namespace
}  // namespace scion
