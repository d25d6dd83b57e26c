#include "scion/core/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "scion/core/log_sink.h"

namespace scion {
namespace {

using ::testing::Contains;
using ::testing::ContainsRegex;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(FormatDuration, MinutesAndHours) {
  EXPECT_EQ(format_duration(0), "0:00");
  EXPECT_EQ(format_duration(9.4), "0:09");
  EXPECT_EQ(format_duration(59.6), "1:00");
  EXPECT_EQ(format_duration(750), "12:30");
  EXPECT_EQ(format_duration(3723), "1:02:03");
  EXPECT_EQ(format_duration(360'000), "100:00:00");
  EXPECT_EQ(format_duration(-1), "0:00");
  EXPECT_EQ(format_duration(std::numeric_limits<double>::infinity()), "?");
}

// Sends log lines to a list while it exists.
class ProgressTest : public ::testing::Test {
 protected:
  ProgressTest()
      : before_(set_log_sink([this](LogLevel level, std::string_view line) {
          (level == LogLevel::progress ? drawn_ : logged_).emplace_back(line);
        })) {}
  ~ProgressTest() override { set_log_sink(before_); }

  std::vector<std::string> drawn_, logged_;

 private:
  LogSink before_;
};

TEST_F(ProgressTest, WithoutAUnitItIsAShare) {
  {
    Progress progress("comparison", 1000, "", 0);
    progress.update(0);
    progress.update(370, "two runs");
    progress.finish();
  }
  EXPECT_THAT(drawn_, Contains(ContainsRegex("^comparison 37 %, 0:00 left, two runs$")));
  EXPECT_THAT(logged_, ElementsAre("comparison done in 0:00"));
}

TEST_F(ProgressTest, ShowsSpeedAndTimeLeftAndEndsWithALineThatStays) {
  {
    Progress progress("reading", 10, "files", 0);
    progress.update(0);
    progress.update(5, "loss 1.5");
    progress.update(10);
    progress.finish("done");
  }
  EXPECT_THAT(drawn_,
              Contains(ContainsRegex("^reading 5/10 files, [0-9.e+]+/s, [0-9:]+ left, loss 1.5$")));
  EXPECT_THAT(logged_,
              ElementsAre(ContainsRegex("^reading 10 files in 0:0[0-9], [0-9.e+]+/s, done$")));
}

TEST_F(ProgressTest, TheLineIsRemovedAtTheEnd) {
  { Progress("reading", 10, "files", 0).update(5); }
  EXPECT_EQ(drawn_.back(), "");
  EXPECT_THAT(logged_, IsEmpty());
}

TEST_F(ProgressTest, HoldsBackLinesBetweenIntervals) {
  Progress progress("reading", 1000, "files", 3600);
  for (int i = 0; i < 1000; ++i) progress.update(i);
  EXPECT_THAT(drawn_, Each(""));
}

TEST_F(ProgressTest, AnUnknownTotalHasNoTimeLeft) {
  Progress progress("reading", 0, "lines", 0);
  progress.update(1);
  progress.update(3);
  EXPECT_THAT(drawn_.back(), ContainsRegex("reading 3 lines"));
  EXPECT_THAT(drawn_, Each(Not(HasSubstr("left"))));
}

}  // namespace
}  // namespace scion
