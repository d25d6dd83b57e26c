// How far a long job is, how fast, and how long it will still take.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace scion {

/// A line that is redrawn in place when a person watches (stderr is a terminal), a plain line
/// every `plain_interval_seconds` otherwise. Shows `title 120/948 utterances, 93/s, 0:09 left`;
/// without a unit, what is done has no meaning of its own: `title 13 %, 0:09 left`.
class Progress {
 public:
  Progress(std::string title, int64_t total, std::string unit, double plain_interval_seconds = 10);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` counts from the start; `note` is free text shown behind the numbers.
  void update(int64_t done, const std::string& note = "");
  /// A last line with the whole time taken; the destructor only clears the redrawn line.
  void finish(const std::string& note = "");
  double elapsed_seconds() const;

 private:
  std::string numbers(int64_t done, const std::string& note) const;
  std::string amount(int64_t done) const;
  void clear();
  std::string title_, unit_;
  int64_t total_, first_done_ = -1, done_ = 0;
  double interval_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_, first_time_, last_draw_;
};

/// "0:09", "12:30", "1:02:03".
std::string format_duration(double seconds);

}  // namespace scion
