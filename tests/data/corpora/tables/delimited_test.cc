#include "scion/data/corpora/tables/delimited.h"

#include <gmock/gmock.h>

#include "scion/core/error.h"
#include "tests/core/error_of.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Fields = std::vector<std::string>;

std::vector<Fields> fields_of(std::string_view text, Delimiter delimiter) {
  std::vector<Fields> fields;
  for (DelimitedRow& row : parse_delimited(text, delimiter, "t"))
    fields.push_back(std::move(row.fields));
  return fields;
}

TEST(Delimited, QuotedFieldsHoldDelimitersQuotesAndLineEnds) {
  EXPECT_THAT(
      fields_of("a,b\r\n\"x, \"\"y\"\"\",\"two\r\nlines\"\r\n\n,\n\"\",\"z\"", Delimiter::comma),
      ElementsAre(Fields{"a", "b"}, Fields{"x, \"y\"", "two\r\nlines"}, Fields{"", ""},
                  Fields{"", "z"}));
  EXPECT_THAT(fields_of("a;5\" nails\n", Delimiter::semicolon),
              ElementsAre(Fields{"a", "5\" nails"}));
}

TEST(Delimited, RowsKnowTheirLine) {
  const auto rows = parse_delimited("a,\"1\n2\"\n\nb,c\n", Delimiter::comma, "t");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].line, 1U);
  EXPECT_EQ(rows[1].line, 4U);
}

TEST(Delimited, BetweenTabsOnlyWholeFieldsAreQuoted) {
  EXPECT_THAT(
      fields_of("p\t\"\"\"Thank you,\"\" said he\"\ts\np\t\"Yes,\" he said\ts\n"
                "p\t\"open\ts\np\t\"Yes\" and \"no\"\ts\r\n",
                Delimiter::tab),
      ElementsAre(Fields{"p", "\"Thank you,\" said he", "s"}, Fields{"p", "\"Yes,\" he said", "s"},
                  Fields{"p", "\"open", "s"}, Fields{"p", "\"Yes\" and \"no\"", "s"}));
}

TEST(Delimited, BetweenPipesNothingIsQuoted) {
  EXPECT_THAT(fields_of("L1|\"a\", he said|\"a\"\n", Delimiter::pipe),
              ElementsAre(Fields{"L1", "\"a\", he said", "\"a\""}));
}

TEST(Delimited, FaultsNameTheLine) {
  const auto complaint = [](std::string_view text) {
    return error_of<UserError>([&] { parse_delimited(text, Delimiter::comma, "t.csv"); });
  };
  EXPECT_THAT(complaint("a,b\nc,\"d\ne,f\n"), HasSubstr("t.csv:2: quotes that do not end"));
  EXPECT_THAT(complaint("a,b\n\"c\" d,e\n"), HasSubstr("t.csv:2: ' ' after closing quotes"));
}

TEST(Delimited, TheFirstLineShowsTheDelimiter) {
  EXPECT_EQ(find_delimiter("a, b|c, d\nx,y,z", "t"), Delimiter::pipe);
  EXPECT_EQ(find_delimiter("a|b\tc", "t"), Delimiter::tab);
  EXPECT_EQ(find_delimiter("a;b;c,d", "t"), Delimiter::semicolon);
  EXPECT_EQ(find_delimiter("a,b", "t"), Delimiter::comma);
  EXPECT_THAT(error_of<UserError>([] { find_delimiter("one two\na,b", "t"); }),
              HasSubstr("t:1: no table"));
}

}  // namespace
}  // namespace scion
