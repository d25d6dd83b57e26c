#include "scion/core/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace scion {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Log, LinesGoToTheSinkWithTheirLevel) {
  std::vector<std::pair<LogLevel, std::string>> lines;
  const LogSink before =
      set_log_sink([&](LogLevel level, std::string_view line) { lines.emplace_back(level, line); });
  log_info("epoch {}/{}", 1, 2);
  log_warning("careful");
  set_log_sink(before);
  EXPECT_THAT(lines,
              ElementsAre(Pair(LogLevel::info, "epoch 1/2"), Pair(LogLevel::warning, "careful")));
}

TEST(Log, WithoutASinkOnlyWarningsReachStderr) {
  const LogSink before = set_log_sink({});
  testing::internal::CaptureStderr();
  log_info("hello");
  log_line(LogLevel::progress, "half");
  log_warning("careful");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: careful\n");
  set_log_sink(before);
}

}  // namespace
}  // namespace scion
