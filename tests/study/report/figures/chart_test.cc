#include "scion/study/report/figures/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "tests/study/html_check.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// The points of all polylines, in order.
std::vector<std::pair<double, double>> line_points(const std::string& html) {
  std::vector<std::pair<double, double>> points;
  std::smatch line;
  std::regex_search(html, line, std::regex("<polyline class=\"line\" points=\"([^\"]*)\""));
  const std::string text = line[1];
  const std::regex point("([-\\d.]+),([-\\d.]+)");
  for (std::sregex_iterator i(text.begin(), text.end(), point), end; i != end; ++i)
    points.emplace_back(std::stod((*i)[1]), std::stod((*i)[2]));
  return points;
}

TEST(Chart, LinearTicks) {
  EXPECT_THAT(linear_ticks(0, 20, 6), ElementsAre(0, 5, 10, 15, 20));
  EXPECT_THAT(linear_ticks(0, 1, 5), ElementsAre(0, 0.2, 0.4, 0.6000000000000001, 0.8, 1));
  EXPECT_THAT(linear_ticks(-3, 4, 5), ElementsAre(-2, 0, 2, 4));
  EXPECT_FALSE(std::signbit(linear_ticks(-1e-12, 4, 5)[0]));
}

TEST(Chart, LogTicks) {
  EXPECT_THAT(log_ticks(0.5, 2000), ElementsAre(1, 10, 100, 1000));
  EXPECT_THAT(log_ticks(8, 110), ElementsAre(10, 20, 50, 100));
  EXPECT_THAT(log_ticks(3.4, 8.5), ElementsAre(4, 5, 6, 7, 8));
  EXPECT_GE(log_ticks(5.1, 5.3).size(), 2);
}

TEST(Chart, EqualRatiosAreEqualStepsOnALogarithmicScale) {
  const Chart chart{"t", "x", "y", {{"a", 1, {0, 1, 2}, {80, 40, 20}, {}, {}}}, true};
  const auto points = line_points(chart_html(chart));
  ASSERT_EQ(points.size(), 3);
  EXPECT_NEAR(points[1].second - points[0].second, points[2].second - points[1].second, 0.11);
  EXPECT_GT(points[1].second, points[0].second);  // less is lower on the page
  EXPECT_NEAR(points[1].first - points[0].first, points[2].first - points[1].first, 0.11);
}

TEST(Chart, LeavesOutWhatCannotBeDrawn) {
  Chart chart{"t", "x", "y", {{"a", 1, {0, 1, 2, 3}, {HUGE_VAL, 0, NAN, 5}, {}, {}}}, true};
  EXPECT_EQ(line_points(chart_html(chart)).size(), 1);
  EXPECT_THAT(chart_html(chart), Not(::testing::ContainsRegex("[^a-z](nan|inf)")));
  chart.series[0].y[3] = NAN;
  EXPECT_EQ(chart_html(chart), "");
}

TEST(Chart, WellFormedWithNamesAndBands) {
  Chart chart{"a < b", "epochs", "WER", {}, false};
  chart.series.push_back({"one & only", 1, {1, 2}, {5, 4}, {4, 3}, {6, 5}});
  chart.series.push_back(
      {"a name that is much too long to stand there", 2, {1, 2}, {5, 4}, {}, {}});
  const std::string html = chart_html(chart);
  EXPECT_EQ(unbalanced_tag(html), "");
  EXPECT_THAT(html, HasSubstr("<figcaption>a &lt; b</figcaption>"));
  EXPECT_THAT(html, HasSubstr(">one &amp; only</text>"));
  EXPECT_THAT(html, HasSubstr(">a name that is much t…</text>"));
  EXPECT_THAT(html, HasSubstr("class=\"band s1\""));
  EXPECT_THAT(html, Not(HasSubstr("class=\"band s2\"")));
}

TEST(Chart, NamesDoNotTouch) {
  Chart chart{"t", "x", "y", {}, false};
  for (size_t i = 0; i < 6; ++i)
    chart.series.push_back(
        {std::string(1, static_cast<char>('a' + i)), i, {0, 1}, {9, 5 + 0.01 * i}, {}, {}});
  const std::string html = chart_html(chart);
  std::vector<double> places;
  const std::regex name("class=\"name[^>]*y=\"([\\d.]+)\"");
  for (std::sregex_iterator i(html.begin(), html.end(), name), end; i != end; ++i)
    places.push_back(std::stod((*i)[1]));
  ASSERT_EQ(places.size(), 6);
  for (size_t i = 1; i < 6; ++i) EXPECT_GE(places[i] - places[i - 1], 14.8);
}

}  // namespace
}  // namespace scion
