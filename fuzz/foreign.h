// What the fuzzers share. A fuzzer gives a reader of foreign data made-up bytes. The reader may
// refuse them with one of scion's own errors; whatever else it throws, and every fault that the
// sanitizers see, ends the fuzzer.
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

/// Calls `read`, which may refuse its input. Returns what LLVMFuzzerTestOneInput has to.
template <class Read>
int read_or_refuse(const Read& read) {
  try {
    read();
  } catch (const Error&) {  // an answer as good as any
  }
  return 0;
}

inline std::string_view as_text(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A file in memory, for readers that want a path. Only one at a time is needed.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(memfd_create("fuzz", 0)) {
    if (descriptor_ < 0) std::abort();
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// The path of a file with these bytes; what it held before is gone.
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

  /// Writes the pieces of `bytes` between zero bytes as files of these names. A piece that is not
  /// there leaves no file.
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
