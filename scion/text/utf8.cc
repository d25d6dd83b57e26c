#include "scion/text/utf8.h"

namespace scion {
namespace {

// The length of the character that starts with `lead`, by its leading bits.
size_t character_length(unsigned char lead) {
  if (lead >= 0xF0 && lead < 0xF8) return 4;
  if (lead >= 0xE0) return lead < 0xF0 ? 3 : 1;
  return lead >= 0xC0 ? 2 : 1;
}

}  // namespace

std::string_view strip(std::string_view text) {
  constexpr std::string_view space = " \t\n\v\f\r";
  const size_t start = text.find_first_not_of(space);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(space) - start + 1);
}

std::vector<std::string> split_words(std::string_view text) {
  text = strip(text);
  std::vector<std::string> words;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    words.emplace_back(text.substr(start, end - start));
    start = std::min(text.find_first_not_of(' ', end), text.size());
  }
  return words;
}

std::vector<std::string> split_characters(std::string_view text) {
  std::vector<std::string> characters;
  for (size_t start = 0; start < text.size();) {
    size_t length = character_length(static_cast<unsigned char>(text[start]));
    if (start + length > text.size()) length = 1;
    for (size_t i = 1; i < length; ++i)
      if ((static_cast<unsigned char>(text[start + i]) & 0xC0) != 0x80) length = 1;
    characters.emplace_back(text.substr(start, length));
    start += length;
  }
  return characters;
}

}  // namespace scion
