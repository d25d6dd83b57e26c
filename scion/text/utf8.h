// Text in UTF-8 cut into words and characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scion {

/// White space between words, the same in every format: what Python's str.split() splits at. These
/// are the code points of Unicode's property White_Space and U+001C to U+001F.
bool is_white_space(int32_t code_point);

/// Text without the white space at its ends.
std::string_view strip(std::string_view text);

/// Words between white space, the same as Python's str.split().
std::vector<std::string> split_words(std::string_view text);

/// The first word and what is left after the white space that follows it.
struct FirstWord {
  std::string_view word, rest;
};
FirstWord split_first_word(std::string_view text);

/// UTF-8 characters (code points), spaces kept. A byte that is not UTF-8 counts as a character.
std::vector<std::string> split_characters(std::string_view text);

}  // namespace scion
