#include "scion/data/length_report.h"

#include <gmock/gmock.h>

#include "scion/core/log_sink.h"

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LengthReport report(const std::vector<std::pair<int, double>>& counts) {
  LengthReport report(LoaderConfig{.shortest_seconds = 0.3, .longest_seconds = 30});
  for (const auto& [count, seconds] : counts)
    for (int i = 0; i < count; ++i) report.add(seconds);
  return report;
}

std::vector<LogLevel> levels_of(const LengthReport& report) {
  std::vector<LogLevel> levels;
  const LogSink before =
      set_log_sink([&](LogLevel level, std::string_view) { levels.push_back(level); });
  report.log();
  set_log_sink(before);
  return levels;
}

TEST(LengthReport, CountsUtterancesAndHoursBesideAll) {
  const LengthReport lengths = report({{20, 36}, {55, 3.6}, {4, 30}, {1, 0.2}});
  EXPECT_THAT(lengths.lines(), ElementsAre("20 of 80 utterances (0.20 of 0.29 h) are longer than "
                                           "loader.longest_seconds = 30 and are not trained on",
                                           "1 of 80 utterances (0.00 of 0.29 h) are shorter than "
                                           "loader.shortest_seconds = 0.3 and are not trained on"));
  EXPECT_EQ(lengths.kept(), 59U);
  EXPECT_NEAR(lengths.kept_seconds(), 55 * 3.6 + 4 * 30, 1e-9);
  EXPECT_EQ(lengths.left_out(), 21U);
}

TEST(LengthReport, WarnsAboveOnePercentOfUtterancesOrHours) {
  EXPECT_THAT(levels_of(report({{100, 5}})), IsEmpty());
  EXPECT_THAT(levels_of(report({{199, 5}, {1, 0.1}})), ElementsAre(LogLevel::info));
  EXPECT_THAT(levels_of(report({{99, 5}, {2, 0.1}})), ElementsAre(LogLevel::warning));
  EXPECT_THAT(levels_of(report({{999, 5}, {1, 3600}})), ElementsAre(LogLevel::warning));
}

}  // namespace
}  // namespace scion
