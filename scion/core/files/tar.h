// Tar archives, read from front to back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace scion {

/// The regular files of an archive in the formats ustar, pax and GNU (long names), which may be
/// gzipped. UserError when it is no archive, damaged or cut short.
class TarReader {
 public:
  explicit TarReader(const std::filesystem::path& path);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  /// Goes to the next file; false after the last one.
  bool next();
  const std::string& name() const { return name_; }  ///< as the archive has it, with folders
  uint64_t size() const { return size_; }            ///< in bytes

  /// The content, once. UserError when it has more than `most` bytes.
  std::string text(uint64_t most);
  /// Writes the content, once, to a new file. Failure when that is not possible.
  void copy_to(const std::filesystem::path& file);

 private:
  struct Stream;
  [[noreturn]] void fail(const std::string& what) const;
  bool read_header(char& type);
  void read_pax(const std::string& records);
  void read_exactly(char* bytes, size_t count);
  void skip(uint64_t count);

  std::filesystem::path path_;
  std::unique_ptr<Stream> stream_;
  std::string name_, long_name_;
  uint64_t size_ = 0, unread_ = 0, padding_ = 0, long_size_ = 0;
};

}  // namespace scion
