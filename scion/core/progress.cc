#include "scion/core/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

}  // namespace

Progress::Progress(std::string title, int64_t total, std::string unit, double interval_seconds)
    : title_(std::move(title)),
      unit_(std::move(unit)),
      total_(total),
      interval_(interval_seconds),
      start_(Clock::now()),
      first_time_(start_),
      last_line_(start_) {
  log_line(LogLevel::progress, "");
}

Progress::~Progress() { log_line(LogLevel::progress, ""); }

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
  if (seconds_between(last_line_, now) < interval_) return;
  last_line_ = now;
  log_line(LogLevel::progress, numbers(done, note));
}

void Progress::finish(const std::string& note) {
  log_line(LogLevel::progress, "");
  const double seconds = elapsed_seconds();
  std::string line =
      unit_.empty() ? title_ + " done" : fmt::format("{} {} {}", title_, done_, unit_);
  line += " in " + format_duration(seconds);
  const double rate = static_cast<double>(done_ - std::max<int64_t>(first_done_, 0)) / seconds;
  if (!unit_.empty() && std::isfinite(rate) && rate > 0) line += ", " + format_rate(rate);
  log_line(LogLevel::info, note.empty() ? line : line + ", " + note);
}

double Progress::elapsed_seconds() const { return seconds_between(start_, Clock::now()); }

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  const auto whole = static_cast<int64_t>(std::llround(std::max(seconds, 0.0)));
  const int64_t hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, rest)
                   : fmt::format("{}:{:02}", minutes, rest);
}

}  // namespace scion
