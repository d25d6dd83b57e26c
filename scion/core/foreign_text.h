// Text from outside: whether it is UTF-8, and how it is shown.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace scion {

/// Bytes of the UTF-8 character that `text` begins with; 0 when it begins with none.
size_t utf8_character_length(std::string_view text);

/// Bytes at the start of `text` that are UTF-8 as Unicode defines it: no surrogates, no overlong
/// forms. `text.size()` when all are.
size_t utf8_prefix_length(std::string_view text);

/// `text` for a terminal: control characters, marks that turn the direction of writing, and bytes
/// that are not UTF-8 as escapes (`\t`, `\x1b`, `\u202e`). Line feeds are kept.
std::string printable(std::string_view text);

}  // namespace scion
