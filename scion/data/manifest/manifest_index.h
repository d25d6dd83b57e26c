// Index of a manifest of any size: the file stays on disk, memory holds the positions of its lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "scion/core/files/file.h"
#include "scion/data/manifest/manifest.h"

namespace scion {

/// The lines of a manifest, mapped into memory: 32 bytes an utterance. Every line is read once for
/// validation, and again whenever its utterance is requested.
class ManifestIndex {
 public:
  /// UserError as read_manifest's, with the number of the line.
  explicit ManifestIndex(const std::filesystem::path& path);

  size_t size() const { return entries_.size(); }
  const std::filesystem::path& path() const { return path_; }
  /// As given in the line.
  double seconds(size_t i) const { return entries_[i].seconds; }
  /// stable_hash of the id.
  uint64_t id_hash(size_t i) const { return entries_[i].id_hash; }
  /// Of the text, the duration, the offset and the channel, as given in the line.
  uint64_t content_hash(size_t i) const { return entries_[i].content_hash; }
  /// Thread-safe.
  Utterance utterance(size_t i) const;

 private:
  struct Entry {
    uint64_t offset;  // of the line in the file
    double seconds;
    uint64_t id_hash, content_hash;
  };
  std::string_view text() const;
  std::string_view line(const Entry& entry) const;
  size_t line_number(const Entry& entry) const;
  void index();
  std::vector<uint64_t> id_hashes() const;
  void tell_default_ids_apart();
  void check_ids() const;

  std::filesystem::path path_;
  MappedFile file_;
  std::vector<Entry> entries_;
  std::vector<std::string>
      default_ids_;  // one an entry, where those of single lines are not enough
};

/// Pairs of places in a list of hashes that are equal, the first such place with every later one;
/// equal hashes are not yet equal ids. In the order of the later places.
std::vector<std::pair<size_t, size_t>> equal_hashes(const std::vector<uint64_t>& hashes);

}  // namespace scion
