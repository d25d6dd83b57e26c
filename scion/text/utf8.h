// Text in UTF-8 cut into words and characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace scion {

/// Text without the white space (space, tab, line breaks) at its ends.
std::string_view strip(std::string_view text);

/// Words between spaces; white space at the ends is dropped. As in jiwer, a tab or a no-break
/// space inside the text belongs to a word: readers of formats in which tabs separate words turn
/// them into spaces.
std::vector<std::string> split_words(std::string_view text);

/// UTF-8 characters (code points), spaces kept. A byte that is not UTF-8 counts as a character.
std::vector<std::string> split_characters(std::string_view text);

}  // namespace scion
