#include "scion/core/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "scion/core/log.h"

namespace scion {
namespace {

using ::testing::ContainsRegex;

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

class LogTest : public ::testing::Test {
 protected:
  LogTest() : before_(spdlog::default_logger()) {}
  ~LogTest() override { spdlog::set_default_logger(before_); }
  // What `action` says on stderr, which is no terminal here.
  template <class Action>
  static std::string said(bool quiet, Action action) {
    testing::internal::CaptureStderr();
    start_logging(quiet);
    action();
    return testing::internal::GetCapturedStderr();
  }

 private:
  std::shared_ptr<spdlog::logger> before_;
};

TEST_F(LogTest, LinesHaveTheTimeAndWarningsAMark) {
  const std::string text = said(false, [] {
    spdlog::info("hello");
    spdlog::warn("careful");
    spdlog::error("bad");
    spdlog::debug("unseen");
  });
  const std::string time = "[0-2][0-9]:[0-5][0-9]:[0-5][0-9] ";
  EXPECT_THAT(text, ::testing::MatchesRegex(time + "hello\n" + time + "warning: careful\n" + time +
                                            "error: bad\n"));
}

TEST_F(LogTest, WithoutAUnitProgressIsAShare) {
  const std::string text = said(false, [] {
    Progress progress("comparison", 1000, "", 0);
    progress.update(0);
    progress.update(370, "two runs");
    progress.finish();
  });
  EXPECT_THAT(text, ContainsRegex("comparison 37 %, 0:00 left, two runs\n"));
  EXPECT_THAT(text, ContainsRegex("comparison done in 0:00\n"));
}

TEST_F(LogTest, QuietLeavesWarnings) {
  const std::string text = said(true, [] {
    spdlog::info("hello");
    spdlog::warn("careful");
    Progress progress("reading", 10, "files", 0);
    progress.update(5);
    progress.finish();
  });
  EXPECT_THAT(text, ::testing::MatchesRegex("[0-9:]+ warning: careful\n"));
}

TEST_F(LogTest, ProgressIsPlainLinesWhenNobodyWatches) {
  const std::string text = said(false, [] {
    Progress progress("reading", 10, "files", 0);
    progress.update(0);
    progress.update(5, "loss 1.5");
    progress.update(10);
    progress.finish("done");
  });
  EXPECT_THAT(text, ContainsRegex("reading 5/10 files, [0-9.e+]+/s, [0-9:]+ left, loss 1.5\n"));
  EXPECT_THAT(text, ContainsRegex("reading 10 files in 0:0[0-9], [0-9.e+]+/s, done\n"));
  EXPECT_EQ(text.find('\r'), std::string::npos);
}

TEST_F(LogTest, ProgressHoldsBackLinesBetweenIntervals) {
  const std::string text = said(false, [] {
    Progress progress("reading", 1000, "files", 3600);
    for (int i = 0; i < 1000; ++i) progress.update(i);
  });
  EXPECT_EQ(text, "");
}

TEST_F(LogTest, AnUnknownTotalHasNoTimeLeft) {
  const std::string text = said(false, [] {
    Progress progress("reading", 0, "lines", 0);
    progress.update(1);
    progress.update(3);
  });
  EXPECT_THAT(text, ContainsRegex("reading 3 lines"));
  EXPECT_EQ(text.find("left"), std::string::npos);
}

}  // namespace
}  // namespace scion
