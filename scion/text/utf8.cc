#include "scion/text/utf8.h"

#include <algorithm>

namespace scion {
namespace {

// The length of the character that starts with `lead`, by its leading bits.
size_t character_length(unsigned char lead) {
  if (lead >= 0xF0 && lead < 0xF8) return 4;
  if (lead >= 0xE0) return lead < 0xF0 ? 3 : 1;
  return lead >= 0xC0 ? 2 : 1;
}

// The length of the character at `start`; 1 for a byte that is not UTF-8.
size_t length_at(std::string_view text, size_t start) {
  const size_t length = character_length(static_cast<unsigned char>(text[start]));
  if (start + length > text.size()) return 1;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[start + i]) & 0xC0) != 0x80) return 1;
  return length;
}

int32_t code_point(std::string_view character) {
  const auto byte = [&](size_t i) { return static_cast<int32_t>(character[i] & 0xFF); };
  if (character.size() == 1) return byte(0);
  int32_t point = byte(0) & (0xFF >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) point = point << 6 | (byte(i) & 0x3F);
  return point;
}

// The bytes of white space at `start`; 0 for another character.
size_t white_space_at(std::string_view text, size_t start) {
  const size_t length = length_at(text, start);
  const auto lead = static_cast<unsigned char>(text[start]);
  if (length == 1 && lead >= 0x80) return 0;  // not UTF-8
  return is_white_space(code_point(text.substr(start, length))) ? length : 0;
}

size_t skip_white_space(std::string_view text, size_t start) {
  while (start < text.size()) {
    const size_t length = white_space_at(text, start);
    if (length == 0) break;
    start += length;
  }
  return start;
}

size_t skip_word(std::string_view text, size_t start) {
  while (start < text.size() && white_space_at(text, start) == 0) start += length_at(text, start);
  return start;
}

}  // namespace

bool is_white_space(int32_t code_point) {
  if (code_point < 0x80)
    return code_point == ' ' || (code_point >= '\t' && code_point <= '\r') ||
           (code_point >= 0x1C && code_point <= 0x1F);
  if (code_point >= 0x2000 && code_point <= 0x200A) return true;
  constexpr int32_t others[] = {0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000};
  return std::find(std::begin(others), std::end(others), code_point) != std::end(others);
}

std::string_view strip(std::string_view text) {
  const size_t start = skip_white_space(text, 0);
  size_t end = start;
  for (size_t word = start; word < text.size(); word = skip_white_space(text, end))
    end = skip_word(text, word);
  return text.substr(start, end - start);
}

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  for (size_t start = skip_white_space(text, 0); start < text.size();) {
    const size_t end = skip_word(text, start);
    words.emplace_back(text.substr(start, end - start));
    start = skip_white_space(text, end);
  }
  return words;
}

FirstWord split_first_word(std::string_view text) {
  const size_t start = skip_white_space(text, 0);
  const size_t end = skip_word(text, start);
  return {text.substr(start, end - start), text.substr(skip_white_space(text, end))};
}

std::vector<std::string> split_characters(std::string_view text) {
  std::vector<std::string> characters;
  for (size_t start = 0; start < text.size();) {
    const size_t length = length_at(text, start);
    characters.emplace_back(text.substr(start, length));
    start += length;
  }
  return characters;
}

}  // namespace scion
