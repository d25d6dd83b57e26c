#include "scion/study/report/figures/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/study/html_check.h"

namespace scion {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Table table{"A & B",
                  {"arm", "1", "10"},
                  {{{"zufällig"}, {"9.5"}, {"7.25", true}}, {{"b"}, {"≥ 10"}, {"–"}}},
                  "a note"};

TEST(Table, Text) {
  EXPECT_EQ(table_text(table),
            "A & B\n"
            "arm          1     10\n"
            "zufällig   9.5  7.25*\n"
            "b         ≥ 10      –\n"
            "a note\n");
}

TEST(Table, Html) {
  const std::string html = table_html(table);
  EXPECT_EQ(unbalanced_tag(html), "");
  EXPECT_THAT(html, HasSubstr("<figcaption>A &amp; B</figcaption>"));
  EXPECT_THAT(html, HasSubstr("<td class=\"label\">zufällig</td><td>9.5</td>"
                              "<td><strong>7.25</strong></td>"));
  EXPECT_THAT(html, HasSubstr("a note"));
}

TEST(Table, RowsWithoutANameContinueTheOneAbove) {
  Table two = table;
  two.label_columns = 2;
  EXPECT_THAT(table_html(two), Not(HasSubstr("class=\"more\"")));
  two.rows[1][0].text = "";
  EXPECT_THAT(table_html(two), HasSubstr("<tr class=\"more\">"));
}

TEST(Table, Escapes) {
  EXPECT_EQ(escape_html("<a b=\"c\">'&"), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;");
}

}  // namespace
}  // namespace scion
