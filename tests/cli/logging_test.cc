#include "scion/cli/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "scion/core/log.h"

namespace scion {
namespace {

using ::testing::MatchesRegex;

// Output of `action` on stderr, which is no terminal here.
template <class Action>
std::string logged(bool quiet, Action action) {
  const LogSink before = set_log_sink({});
  testing::internal::CaptureStderr();
  start_logging(quiet);
  action();
  set_log_sink(before);
  return testing::internal::GetCapturedStderr();
}

TEST(Logging, LinesHaveTheTimeAndWarningsAMark) {
  const std::string text = logged(false, [] {
    log_info("hello");
    log_warning("careful");
  });
  const std::string time = "[0-2][0-9]:[0-5][0-9]:[0-5][0-9] ";
  EXPECT_THAT(text, MatchesRegex(time + "hello\n" + time + "warning: careful\n"));
}

TEST(Logging, QuietLeavesWarnings) {
  const std::string text = logged(true, [] {
    log_info("hello");
    log_line(LogLevel::progress, "half");
    log_warning("careful");
  });
  EXPECT_THAT(text, MatchesRegex("[0-9:]+ warning: careful\n"));
}

TEST(Logging, WithoutATerminalProgressIsOneLineInTenSeconds) {
  const std::string text = logged(false, [] {
    for (int i = 0; i < 100; ++i) log_line(LogLevel::progress, "half");
    log_info("done");
  });
  EXPECT_THAT(text, MatchesRegex("[0-9:]+ done\n"));
}

}  // namespace
}  // namespace scion
