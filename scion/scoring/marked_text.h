// Texts in the notation of NIST's .trn, .stm and .ctm: alternatives, optional words, tags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scion/scoring/transcript.h"

namespace scion {

struct MarkedWord;
using MarkedText = std::vector<MarkedWord>;

/// A word, or alternatives of which one counts.
struct MarkedWord {
  std::string word = {};  ///< "" of alternatives
  bool optional = false;  ///< leaving it out is no error
  std::vector<MarkedText> alternatives = {};
};

/// Reads a text as sclite does:
/// - `{ a b / c / @ }` are alternatives, `@` is no word; they may lie in one another;
/// - `(word)` and `(several words)` are optional (sclite -D);
/// - what follows a word's `;` is a tag and no part of it, nor is the `*` at
///   its end; `\` before any mark makes it a character.
/// UserError that begins with the bad mark and names `where`: braces without a partner, an empty
/// alternative, a tag without a word, and optional words in hypotheses.
MarkedText parse_marked_text(std::string_view text, Role role, const std::string& where);

/// A text without marks in the notation: words that look like marks get backslashes.
std::string escape_marks(std::string_view text);

}  // namespace scion
