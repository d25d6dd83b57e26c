// Helpers of the fuzzers. A fuzzer passes arbitrary bytes to a reader of foreign data. The reader
// may reject them with one of scion's own errors; any other exception, and any fault that the
// sanitizers detect, ends the fuzzer.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "scion/core/error.h"

namespace scion {

/// Calls `read`, which may reject its input. Returns the value LLVMFuzzerTestOneInput must return.
template <class Read>
int read_or_refuse(const Read& read) {
  try {
    read();
  } catch (const Error&) {  // rejecting the input is a valid answer
  }
  return 0;
}

inline std::string_view as_text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A file in memory, for readers that take a path. Holds one content at a time.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("fuzz", 0)) {
    if (descriptor_ < 0) std::abort();
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// The path of the file, after replacing its content with these bytes.
  std::filesystem::path with(const uint8_t* data, size_t size) const {
    if (ftruncate(descriptor_, 0) != 0 ||
        pwrite(descriptor_, data, size, 0) != static_cast<ssize_t>(size))
      std::abort();
    return "/proc/self/fd/" + std::to_string(descriptor_);
  }

 private:
  int descriptor_;
};

/// A folder in memory, for readers of several files.
class MemoryFolder {
 public:
  MemoryFolder() {
    std::string pattern = "/dev/shm/scion-fuzz-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~MemoryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  MemoryFolder(const MemoryFolder&) = delete;
  MemoryFolder& operator=(const MemoryFolder&) = delete;

  /// Splits `bytes` at zero bytes and writes the pieces to files of these names. A missing piece
  /// leaves no file.
  const std::filesystem::path& with(std::string_view bytes,
                                    const std::vector<std::string>& names) const {
    for (const std::string& name : names) {
      const std::filesystem::path file = path_ / name;
      if (bytes.data() == nullptr) {
        unlink(file.c_str());
        continue;
      }
      const size_t end = std::min(bytes.find('\0'), bytes.size());
      std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(end));
      bytes = end == bytes.size() ? std::string_view() : bytes.substr(end + 1);
    }
    return path_;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace scion
