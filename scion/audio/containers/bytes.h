// Numbers and names in the bytes of a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace scion {

using Bytes = std::span<const std::byte>;

/// Of `count` bytes from `at`, which there must be.
inline uint64_t big_endian(Bytes bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | uint64_t(bytes[at + i]);
  return value;
}

inline uint64_t little_endian(Bytes bytes, size_t at, size_t count) {
  uint64_t value = 0;
  for (size_t i = count; i-- > 0;) value = value << 8 | uint64_t(bytes[at + i]);
  return value;
}

/// "" where there are no `count` bytes from `at`.
inline std::string_view text_at(Bytes bytes, size_t at, size_t count) {
  if (at > bytes.size() || bytes.size() - at < count) return {};
  return {reinterpret_cast<const char*>(bytes.data()) + at, count};
}

/// Bytes to read in place of those of the file.
struct Correction {
  size_t at;
  std::string bytes;
};

/// The largest piece of something unknown that is left out at the end of a file.
constexpr size_t most_foreign_bytes = 4096;

}  // namespace scion
