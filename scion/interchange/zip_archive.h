// Zip archives whose entries are stored, not compressed, as torch writes them.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace scion {

/// The entries of an archive in memory. The central directory is checked against the size of the
/// file, so that every entry lies within it and all of them together are no larger.
class ZipArchive {
 public:
  /// Whether the bytes begin as a zip archive does.
  static bool is_zip(std::string_view bytes);

  /// `bytes` must outlive the archive; messages call it `name`. UserError when it is damaged, cut
  /// short, split over several files or encrypted. Zip64 is read.
  ZipArchive(std::string_view bytes, std::string name);

  bool contains(const std::string& entry) const { return entries_.contains(entry); }
  /// The bytes of an entry. UserError when it is absent or compressed.
  std::string_view at(const std::string& entry) const;

  struct Entry {
    uint64_t header = 0, size = 0;  ///< place of the local header; bytes of the content
    uint16_t method = 0;            ///< 0: stored
  };
  const std::map<std::string, Entry>& entries() const { return entries_; }

 private:
  struct Directory {
    uint64_t begin = 0, size = 0, count = 0;
  };
  [[noreturn]] void fail(const std::string& what) const;
  std::string_view part(uint64_t begin, uint64_t size) const;
  Directory find_directory() const;
  void read_entry(std::string_view& rest);
  void check_sizes() const;

  std::string_view bytes_;
  std::string name_;
  std::map<std::string, Entry> entries_;
};

}  // namespace scion
