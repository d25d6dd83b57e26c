#include "scion/cli/logging.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>

#include "scion/core/log_sink.h"

namespace scion {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view clear_line = "\r\033[K";
constexpr std::chrono::seconds plain_interval{10};

// The longest prefix of at most `columns` characters; UTF-8 characters stay whole.
std::string_view cut_to_columns(std::string_view line, size_t columns) {
  size_t characters = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(line[i]) & 0xC0U) != 0x80U;
    if (starts_character && characters++ == columns) return line.substr(0, i);
  }
  return line;
}

size_t terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79U;
}

class StderrLog {
 public:
  explicit StderrLog(bool quiet)
      : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0), last_progress_(Clock::now()) {}

  void operator()(LogLevel level, std::string_view line) {
    if (quiet_ && level != LogLevel::warning) return;
    if (level == LogLevel::progress)
      progress(line);
    else
      write(line, level == LogLevel::warning ? "warning: " : "");
  }

 private:
  void progress(std::string_view line) {
    if (terminal_) {
      if (drawn_ || !line.empty())
        fmt::print(stderr, "{}{}", clear_line, cut_to_columns(line, terminal_columns()));
      drawn_ = !line.empty();
      return;
    }
    const Clock::time_point now = Clock::now();
    if (!line.empty() && now - last_progress_ < plain_interval) return;
    last_progress_ = now;
    if (!line.empty()) write(line, "");
  }

  void write(std::string_view line, std::string_view mark) {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    fmt::print(stderr, "{}{:02}:{:02}:{:02} {}{}\n", drawn_ ? clear_line : "", local.tm_hour,
               local.tm_min, local.tm_sec, mark, line);
    drawn_ = false;
  }

  bool quiet_, terminal_;
  bool drawn_ = false;  // a progress line is on the terminal
  Clock::time_point last_progress_;
};

}  // namespace

void start_logging(bool quiet) { set_log_sink(StderrLog(quiet)); }

}  // namespace scion
