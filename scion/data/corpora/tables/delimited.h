// Tables in text files: rows of fields between delimiters.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "scion/core/options.h"

namespace scion {

/// automatic: found in the first line.
enum class Delimiter { automatic, comma, tab, pipe, semicolon };
template <>
inline constexpr std::array option_words<Delimiter>{"auto", "comma", "tab", "pipe", "semicolon"};

struct DelimitedRow {
  std::vector<std::string> fields;
  size_t line = 0;  ///< of the file, where the row begins; from 1
};

/// The delimiter of a table by its first line: a tab if there is one, else `|`, else of `;` and `,`
/// what occurs more often. UserError when there is none of them.
Delimiter find_delimiter(std::string_view text, const std::filesystem::path& path);

/// The rows of a table; blank lines are left out.
/// Between commas and semicolons a field may be quoted as in RFC 4180, line ends included. Between
/// tabs a field is quoted only where its last character closes the quotes in the same line: much
/// text between tabs has quotation marks of its own. Between `|` nothing is quoted (LJSpeech).
/// UserError with the line: quotes that do not end, characters after closing quotes.
std::vector<DelimitedRow> parse_delimited(std::string_view text, Delimiter delimiter,
                                          const std::filesystem::path& path);

}  // namespace scion
