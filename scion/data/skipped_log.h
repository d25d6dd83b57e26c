// Bad utterances that turn up while a run works.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_set>
#include <vector>

#include "scion/core/files/file.h"
#include "scion/data/audio_check.h"

namespace scion {

/// Appends to `skipped.jsonl`, every utterance once, also when a run that was interrupted goes on.
class SkippedLog {
 public:
  /// `source` and `total` are the data and the number of its utterances.
  SkippedLog(const std::filesystem::path& path, std::filesystem::path source, size_t total);
  /// UserError when more than 5 % of all utterances have been added since this was made. (Those of
  /// before do not count: they may have been mended.)
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
