// Files that are whole or absent: written under a temporary name, synced, renamed once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace scion {

/// The whole file. UserError when it is missing or cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Makes the folder and those above it. Failure when that is not possible.
void make_directories(const std::filesystem::path& path);

/// Writes `bytes` under a temporary name beside `path`, syncs, renames, syncs the parent.
/// Failure (with a hint) when the disk is full or the folder cannot be written; then `path` is
/// as it was and no temporary file is left. Folders above `path` are made.
void write_file(const std::filesystem::path& path, std::string_view bytes);

/// A folder that appears whole: fill `path()`, then `commit()` renames it to its final name.
/// Without a commit the destructor removes what was written. Left-overs of killed processes
/// (same final name, dead process) are removed by the constructor.
class PendingDirectory {
 public:
  explicit PendingDirectory(const std::filesystem::path& final_path);
  ~PendingDirectory();
  PendingDirectory(const PendingDirectory&) = delete;
  PendingDirectory& operator=(const PendingDirectory&) = delete;

  const std::filesystem::path& path() const { return temporary_; }
  /// Syncs every file and the folder, renames, syncs the parent. The final name must be free.
  void commit();

 private:
  std::filesystem::path final_, temporary_;
  bool committed_ = false;
};

/// Appends whole lines to a log; a last line cut short by a crash is removed when it is opened.
class LineLog {
 public:
  explicit LineLog(const std::filesystem::path& path);
  ~LineLog();
  LineLog(const LineLog&) = delete;
  LineLog& operator=(const LineLog&) = delete;
  /// `line` without a newline. Written with one system call; `sync()` makes it durable.
  void append(std::string_view line);
  void sync();

 private:
  int descriptor_;
  std::filesystem::path path_;
};

/// Holds a folder for one process at a time (flock); UserError naming the holder otherwise.
/// Released when the process ends, however it ends.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::filesystem::path& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_;
};

/// A file mapped read-only into memory; pages are shared with other processes.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/// XXH3 of the bytes, 16 hexadecimal digits.
std::string checksum(std::string_view bytes);
/// The same of a file's bytes, which need not fit into memory. Errors as read_file().
std::string file_checksum(const std::filesystem::path& path);

}  // namespace scion
