#include "scion/core/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "scion/core/log.h"

namespace scion {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string format_rate(double rate) {
  return rate >= 10 ? fmt::format("{:.0f}/s", rate) : fmt::format("{:.2g}/s", rate);
}

// The longest prefix of at most `columns` characters; UTF-8 characters stay whole.
std::string cut_to_columns(const std::string& line, size_t columns) {
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

}  // namespace

Progress::Progress(std::string title, int64_t total, std::string unit,
                   double plain_interval_seconds)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      interval_(plain_interval_seconds),
      terminal_(isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      first_time_(start_),
      last_draw_(start_) {}

Progress::~Progress() { clear(); }

std::string Progress::amount(int64_t done) const {
  if (unit_.empty())
    return fmt::format("{} {} %", title_, 100 * done / std::max<int64_t>(total_, 1));
  return total_ > 0 ? fmt::format("{} {}/{} {}", title_, done, total_, unit_)
                    : fmt::format("{} {} {}", title_, done, unit_);
}

std::string Progress::numbers(int64_t done, const std::string& note) const {
  std::string line = amount(done);
  // A resumed job's speed counts from where it resumed.
  const double rate =
      static_cast<double>(done - first_done_) / seconds_between(first_time_, Clock::now());
  if (std::isfinite(rate) && rate > 0) {
    if (!unit_.empty()) line += ", " + format_rate(rate);
    if (total_ > done)
      line += fmt::format(", {} left", format_duration(static_cast<double>(total_ - done) / rate));
  }
  return note.empty() ? line : line + ", " + note;
}

void Progress::update(int64_t done, const std::string& note) {
  const auto now = Clock::now();
  done_ = done;
  if (first_done_ < 0) {
    first_done_ = done;
    first_time_ = now;
  }
  if (seconds_between(last_draw_, now) < (terminal_ ? 0.1 : interval_)) return;
  if (!spdlog::should_log(spdlog::level::info)) return;
  last_draw_ = now;
  if (terminal_) {
    const std::string line = cut_to_columns(numbers(done, note), terminal_columns());
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
    drawn_ = true;
  } else {
    spdlog::info("{}", numbers(done, note));
  }
}

void Progress::finish(const std::string& note) {
  clear();
  const double seconds = elapsed_seconds();
  std::string line =
      unit_.empty() ? title_ + " done" : fmt::format("{} {} {}", title_, done_, unit_);
  line += " in " + format_duration(seconds);
  const double rate = static_cast<double>(done_ - std::max<int64_t>(first_done_, 0)) / seconds;
  if (!unit_.empty() && std::isfinite(rate) && rate > 0) line += ", " + format_rate(rate);
  spdlog::info("{}", note.empty() ? line : line + ", " + note);
}

double Progress::elapsed_seconds() const { return seconds_between(start_, Clock::now()); }

void Progress::clear() {
  if (!drawn_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  drawn_ = false;
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  const auto whole = static_cast<int64_t>(std::llround(std::max(seconds, 0.0)));
  const int64_t hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, rest)
                   : fmt::format("{}:{:02}", minutes, rest);
}

}  // namespace scion
