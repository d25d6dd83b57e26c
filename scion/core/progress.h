// Progress of a long job: share done, speed, time left.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace scion {

/// Sends progress lines to the log, one every `interval_seconds` at most:
/// `title 120/948 utterances, 93/s, 0:09 left`; with an empty unit `title 13 %, 0:09 left`.
class Progress {
 public:
  Progress(std::string title, int64_t total, std::string unit, double interval_seconds = 0.1);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` counts from the start; `note` is free text shown after the numbers.
  void update(int64_t done, const std::string& note = "");
  /// Logs a last line with the whole time taken; the destructor only removes the progress line.
  void finish(const std::string& note = "");
  double elapsed_seconds() const;

 private:
  std::string numbers(int64_t done, const std::string& note) const;
  std::string amount(int64_t done) const;
  std::string title_, unit_;
  int64_t total_, first_done_ = -1, done_ = 0;
  double interval_;
  std::chrono::steady_clock::time_point start_, first_time_, last_line_;
};

/// "0:09", "12:30", "1:02:03".
std::string format_duration(double seconds);

}  // namespace scion
