// Utterances that are left out: their record, their log, and how many may be.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "scion/core/error.h"
#include "scion/core/files/file.h"

namespace scion {

/// An utterance that was left out, and why.
struct Skipped {
  std::string id, reason;
  std::string hint = {};  ///< what to do about it, "" when the reason says all
};

/// The share of a corpus that may be skipped unless an option says otherwise.
inline constexpr double default_skip_share = 0.05;

/// Skipped utterances with reasons of one kind: the same words with other names and numbers.
struct SkippedGroup {
  size_t count = 0;
  Skipped first;
};

/// The most frequent kind first.
std::vector<SkippedGroup> group_by_reason(const std::vector<Skipped>& skipped);

/// More of a corpus cannot be used than may be skipped.
class TooManySkipped : public UserError {
 public:
  TooManySkipped(const std::string& message, const std::string& hint, std::vector<Skipped> skipped)
      : UserError(message, hint), skipped_(std::move(skipped)) {}
  const std::vector<Skipped>& skipped() const { return skipped_; }

 private:
  std::vector<Skipped> skipped_;
};

/// TooManySkipped when more than `share` of `total` are skipped: the most frequent kinds of reasons
/// with an example each and its hint.
void check_skipped_share(const std::filesystem::path& source, const std::vector<Skipped>& skipped,
                         size_t total, double share = default_skip_share);

/// Writes a log: a line {"id", "reason"} for each.
void write_skipped(const std::filesystem::path& path, const std::vector<Skipped>& skipped);

/// Writes a log beside a refusal: the error to throw, which names the log in its hint.
UserError naming_skipped(const UserError& refusal, const std::filesystem::path& path,
                         const std::vector<Skipped>& skipped);

/// Appends to such a log during a run: every utterance once, also when an interrupted run
/// continues.
class SkippedLog {
 public:
  /// `source` and `total` are the data and the number of its utterances.
  SkippedLog(const std::filesystem::path& path, std::filesystem::path source, size_t total,
             double share = default_skip_share);
  /// UserError when more than `share` of all utterances have been added since this was made. (Those
  /// found before an interruption do not count: they may have been fixed.)
  void add(const std::vector<Skipped>& skipped);
  void sync() { log_.sync(); }

 private:
  LineLog log_;
  std::filesystem::path source_;
  size_t total_;
  double share_;
  std::unordered_set<std::string> written_, found_ids_;
  std::vector<Skipped> found_;
};

}  // namespace scion
