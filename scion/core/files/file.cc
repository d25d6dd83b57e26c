#include "scion/core/files/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstring>
#include <new>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "scion/core/error.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

std::string hint_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space on that disk, or choose a folder on another one";
    case EFBIG:
      return "raise the limit on the size of files (ulimit -f), or choose another disk";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a folder that you may write to";
    case ENOENT:
      return "no folder can be made there: choose another one";
    case ENOTDIR:
      return "a part of the path is a file: choose another name";
    case EISDIR:
      return "that is a folder: name a file";
    case EMFILE:
    case ENFILE:
      return "raise the limit on open files (ulimit -n)";
    default:
      return "";
  }
}

[[noreturn]] void fail_writing(const char* action, const fs::path& path, int error) {
  throw Failure(fmt::format("cannot {} {}: {}", action, path.string(),
                            std::generic_category().message(error)),
                hint_for(error));
}

[[noreturn]] void fail_reading(const fs::path& path, int error) {
  if (error == ENOMEM) throw std::bad_alloc();  // handled as memory that ran out is
  const std::string hint = error == ENOENT   ? "check the name"
                           : error == EISDIR ? "that is a folder: name a file"
                           : error == EACCES ? "check the permissions"
                                             : "";
  throw UserError(
      fmt::format("cannot read {}: {}", path.string(), std::generic_category().message(error)),
      hint);
}

/// Closes itself. Negative: none.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const { return number_; }
  bool valid() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

// The folder that holds `path`; "." for a bare name.
fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

// "dir/" and "dir" name the same folder.
fs::path without_trailing_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

void sync_path(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) fail_writing("open", path, errno);
  // Some network file systems cannot sync a folder: EINVAL is harmless.
  if (::fsync(file.number()) != 0 && errno != EINVAL) fail_writing("sync", path, errno);
}

void write_all(int descriptor, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_writing("write", path, errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

// Temporary names are ".NAME.PID.tmp" (folders) and ".NAME.PID-COUNT.tmp" (files).
std::string temporary_prefix(const fs::path& final_path) {
  return "." + final_path.filename().string() + ".";
}

// The process that made `candidate`, if it is a temporary name for `final_path`.
std::optional<pid_t> maker_of(const fs::path& candidate, const fs::path& final_path) {
  const std::string name = candidate.filename().string(), prefix = temporary_prefix(final_path);
  if (!name.starts_with(prefix) || !name.ends_with(".tmp")) return std::nullopt;
  pid_t pid = 0;
  const char* begin = name.data() + prefix.size();
  const auto [end, error] = std::from_chars(begin, name.data() + name.size(), pid);
  if (error != std::errc() || end == begin || (*end != '.' && *end != '-')) return std::nullopt;
  return pid;
}

// Removes temporary files next to `final_path` of processes that were killed while writing.
void remove_left_overs(const fs::path& final_path) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(parent_of(final_path), ignored)) {
    const std::optional<pid_t> pid = maker_of(entry.path(), final_path);
    if (pid && *pid > 0 && ::kill(*pid, 0) != 0 && errno == ESRCH)
      fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

std::string read_file(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) fail_reading(path, errno);
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) fail_reading(path, errno);
  std::string bytes(static_cast<size_t>(std::max<off_t>(status.st_size, 0)), '\0');
  size_t filled = 0;
  while (true) {  // pipes and /proc have no size: read until the end
    if (filled == bytes.size()) bytes.resize(bytes.size() + 4096);
    const ssize_t got = ::read(file.number(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_reading(path, errno);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

void make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error && !fs::is_directory(path, error))
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) fail_writing("make the folder", path, error.value());
}

void write_file(const fs::path& path, std::string_view bytes) {
  static std::atomic<uint64_t> count{0};
  const fs::path parent = parent_of(path);
  make_directories(parent);
  remove_left_overs(path);
  const fs::path temporary =
      parent / fmt::format("{}{}-{}.tmp", temporary_prefix(path), ::getpid(), count++);
  try {
    {
      const Descriptor file(
          ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (!file.valid()) fail_writing("write", path, errno);
      write_all(file.number(), bytes, path);
      if (::fsync(file.number()) != 0) fail_writing("write", path, errno);
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail_writing("write", path, errno);
    sync_path(parent);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

PendingDirectory::PendingDirectory(const fs::path& final_path)
    : final_(without_trailing_slash(final_path)),
      temporary_(parent_of(final_) /
                 fmt::format("{}{}.tmp", temporary_prefix(final_), ::getpid())) {
  make_directories(parent_of(final_));
  remove_left_overs(final_);
  std::error_code error;
  fs::remove_all(temporary_, error);  // an earlier process that had our number
  if (error) fail_writing("remove", temporary_, error.value());
  make_directories(temporary_);
}

PendingDirectory::~PendingDirectory() {
  std::error_code ignored;
  if (!committed_) fs::remove_all(temporary_, ignored);
}

void PendingDirectory::commit() {
  if (fs::exists(fs::symlink_status(final_)))
    throw Failure(fmt::format("{} already exists", final_.string()),
                  "remove it, or choose another name");
  for (const auto& entry : fs::recursive_directory_iterator(temporary_))
    if (entry.is_regular_file() || entry.is_directory()) sync_path(entry.path());
  sync_path(temporary_);
  if (::rename(temporary_.c_str(), final_.c_str()) != 0) fail_writing("write", final_, errno);
  committed_ = true;
  sync_path(parent_of(final_));
}

namespace {

// Bytes up to and including the last newline.
off_t whole_lines_size(int descriptor, off_t size, const fs::path& path) {
  std::array<char, 4096> block{};
  while (size > 0) {
    const off_t begin = std::max<off_t>(0, size - static_cast<off_t>(block.size()));
    const auto length = static_cast<size_t>(size - begin);
    if (::pread(descriptor, block.data(), length, begin) != static_cast<ssize_t>(length))
      fail_reading(path, errno);
    const size_t newline = std::string_view(block.data(), length).rfind('\n');
    if (newline != std::string_view::npos) return begin + static_cast<off_t>(newline) + 1;
    size = begin;
  }
  return 0;
}

}  // namespace

LineLog::LineLog(const fs::path& path) : descriptor_(-1), path_(path) {
  make_directories(parent_of(path));
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file.valid()) fail_writing("write", path, errno);
  const off_t size = ::lseek(file.number(), 0, SEEK_END);
  const off_t whole = whole_lines_size(file.number(), size, path);
  if (whole != size && ::ftruncate(file.number(), whole) != 0) fail_writing("write", path, errno);
  descriptor_ = file.release();
}

LineLog::~LineLog() { ::close(descriptor_); }

void LineLog::append(std::string_view line) {
  const std::string bytes = std::string(line) + '\n';
  const off_t before = ::lseek(descriptor_, 0, SEEK_END);
  ssize_t written;
  do {
    written = ::write(descriptor_, bytes.data(), bytes.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(bytes.size())) return;
  // A disk that fills up writes a part of the line: remove it.
  const int error = written < 0 ? errno : ENOSPC;
  if (written > 0 && ::ftruncate(descriptor_, before) != 0) fail_writing("cut back", path_, errno);
  fail_writing("write", path_, error);
}

void LineLog::sync() {
  if (::fsync(descriptor_) != 0) fail_writing("sync", path_, errno);
}

namespace {

// Whether `file` was locked. A process that was killed holds its locks until its memory is freed,
// which takes a moment: a command that follows at once waits for that.
bool lock_soon(int file) {
  constexpr int attempts = 40;
  for (int i = 0; i < attempts; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK) return false;
  }
  return false;
}

}  // namespace

DirectoryLock::DirectoryLock(const fs::path& directory) : descriptor_(-1) {
  make_directories(directory);
  const fs::path path = directory / ".lock";
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file.valid()) fail_writing("lock", path, errno);
  if (!lock_soon(file.number())) {
    if (errno != EWOULDBLOCK) fail_writing("lock", path, errno);
    const std::string holder = read_file(path);
    throw UserError(fmt::format("{} is in use by process {}", directory.string(),
                                holder.empty() ? "(unknown)" : holder),
                    "wait until it ends, or choose another folder");
  }
  // The number only serves the message above.
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(file.number(), 0) != 0) fail_writing("lock", path, errno);
  write_all(file.number(), pid, path);
  descriptor_ = file.release();
}

DirectoryLock::~DirectoryLock() { ::close(descriptor_); }

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) fail_reading(path, errno);
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) fail_reading(path, errno);
  if (S_ISDIR(status.st_mode)) fail_reading(path, EISDIR);
  if (status.st_size == 0) return;
  const auto size = static_cast<size_t>(status.st_size);
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.number(), 0);
  if (data == MAP_FAILED) fail_reading(path, errno);
  data_ = static_cast<const std::byte*>(data);
  size_ = size;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

std::string checksum(std::string_view bytes) {
  return fmt::format("{:016x}", XXH3_64bits(bytes.data(), bytes.size()));
}

std::string file_checksum(const fs::path& path) {
  const MappedFile file(path);
  return checksum({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
}

}  // namespace scion
