#include "scion/core/foreign_text.h"

#include <fmt/format.h>

#include <cstdint>

namespace scion {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

/// The code point of a character of `length` bytes.
uint32_t code_point(std::string_view character) {
  auto point = static_cast<uint32_t>(static_cast<unsigned char>(character[0]));
  if (character.size() > 1) point &= 0x7FU >> character.size();
  for (const char byte : character.substr(1))
    point = (point << 6U) | (static_cast<unsigned char>(byte) & 0x3FU);
  return point;
}

bool must_be_escaped(uint32_t point) {
  if (point == '\n') return false;
  const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
  const bool turns = (point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
  return control || turns;
}

std::string escape_of(uint32_t point) {
  if (point == '\t') return "\\t";
  if (point == '\r') return "\\r";
  return point < 0x80 ? fmt::format("\\x{:02x}", point) : fmt::format("\\u{:04x}", point);
}

}  // namespace

size_t utf8_character_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if (!is_continuation(text[i])) return 0;
  const uint32_t point = code_point(text.substr(0, length));
  const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
  const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  return surrogate || overlong || point > 0x10FFFF ? 0 : length;
}

size_t utf8_prefix_length(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = utf8_character_length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_character_length(text);
    const std::string_view character = text.substr(0, std::max<size_t>(1, length));
    text.remove_prefix(character.size());
    if (length == 0)
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(character[0]));
    else if (must_be_escaped(code_point(character)))
      shown += escape_of(code_point(character));
    else
      shown += character;
  }
  return shown;
}

}  // namespace scion
