#include "scion/audio/containers/tags.h"

#include <string_view>

#include "scion/audio/containers/bytes.h"

namespace scion {
namespace {

/// 28 bits of a size in ID3v2: seven a byte.
size_t id3_size(Bytes bytes, size_t at) {
  size_t size = 0;
  for (size_t i = 0; i < 4; ++i) size = size << 7 | (size_t(bytes[at + i]) & 0x7f);
  return size;
}

/// Bytes of the tag that begins at `at`, as it says; 0: none.
size_t stated_tag_bytes(Bytes bytes, size_t at) {
  const size_t left = bytes.size() - at;
  if (text_at(bytes, at, 3) == "ID3" && left >= 10) {
    const bool footer = (uint32_t(bytes[at + 5]) & 0x10) != 0;
    return 10 + id3_size(bytes, at + 6) + (footer ? 10 : 0);
  }
  if (text_at(bytes, at, 8) == "APETAGEX" && left >= 32) {
    const bool header = (uint32_t(bytes[at + 23]) & 0x20) != 0;
    return 32 + (header ? size_t(little_endian(bytes, at + 12, 4)) : 0);
  }
  if (text_at(bytes, at, 4) == "TAG+" && left >= 227) return 227;
  if (text_at(bytes, at, 3) == "TAG" && left >= 128) return 128;
  if (text_at(bytes, at, 11) == "LYRICSBEGIN") {
    const std::string_view rest = text_at(bytes, at, left);
    for (const char* end : {"LYRICS200", "LYRICSEND"})
      if (const size_t found = rest.find(end); found != std::string_view::npos) return found + 9;
  }
  return 0;
}

/// Bytes of a tag with a footer, at the end of the file; 0: none.
size_t last_tag_bytes(Bytes bytes) {
  const size_t size = bytes.size();
  if (size >= 128 && text_at(bytes, size - 128, 3) == "TAG") return 128;
  if (size >= 32 && text_at(bytes, size - 32, 8) == "APETAGEX") {
    const bool has_header = (uint32_t(bytes[size - 9]) & 0x80) != 0;
    return size_t(little_endian(bytes, size - 20, 4)) + (has_header ? 32 : 0);
  }
  if (size >= 15 && text_at(bytes, size - 9, 9) == "LYRICS200") {
    size_t body = 0;
    for (const char digit : text_at(bytes, size - 15, 6)) {
      if (digit < '0' || digit > '9') return 0;
      body = 10 * body + size_t(digit - '0');
    }
    return body + 15;
  }
  if (size >= 10 && text_at(bytes, size - 10, 3) == "3DI") return id3_size(bytes, size - 4) + 20;
  return 0;
}

}  // namespace

size_t tag_bytes(Bytes bytes, size_t at) {
  const size_t size = stated_tag_bytes(bytes, at);
  return size <= bytes.size() - at ? size : 0;
}

Bytes without_last_tags(Bytes bytes) {
  for (;;) {
    const size_t tag = last_tag_bytes(bytes);
    if (tag == 0 || tag > bytes.size()) return bytes;
    bytes = bytes.first(bytes.size() - tag);
  }
}

}  // namespace scion
