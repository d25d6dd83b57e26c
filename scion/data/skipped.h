// Utterances that are left out: their record, their log, and how many may be.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_set>
#include <vector>

#include "scion/core/files/file.h"

namespace scion {

/// An utterance that was left out, and why. At most 5 % of a manifest may be.
struct Skipped {
  std::string id, reason;
};

/// UserError that names the first few when more than 5 % of `total` are skipped.
void check_skipped_share(const std::filesystem::path& source, const std::vector<Skipped>& skipped,
                         size_t total);

/// Writes a log: a line {"id", "reason"} for each.
void write_skipped(const std::filesystem::path& path, const std::vector<Skipped>& skipped);

/// Appends to such a log during a run: every utterance once, also when an interrupted run
/// continues.
class SkippedLog {
 public:
  /// `source` and `total` are the data and the number of its utterances.
  SkippedLog(const std::filesystem::path& path, std::filesystem::path source, size_t total);
  /// UserError when more than 5 % of all utterances have been added since this was made. (Those
  /// found before an interruption do not count: they may have been fixed.)
  void add(const std::vector<Skipped>& skipped);
  void sync() { log_.sync(); }

 private:
  LineLog log_;
  std::filesystem::path source_;
  size_t total_;
  std::unordered_set<std::string> written_, found_ids_;
  std::vector<Skipped> found_;
};

}  // namespace scion
