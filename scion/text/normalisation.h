// Text normalisation, applied to every text before it is tokenized or compared.
#pragma once

#include <string>
#include <string_view>

#include "scion/core/option_words.h"

namespace scion {

class Options;

/// Composition of characters (Unicode Standard Annex 15).
enum class UnicodeForm { keep, nfc, nfkc };
template <>
inline constexpr std::array option_words<UnicodeForm>{"keep", "nfc", "nfkc"};

/// Case of letters.
enum class LetterCase { keep, lower, upper };
template <>
inline constexpr std::array option_words<LetterCase>{"keep", "lower", "upper"};

/// drop: punctuation becomes a space, but for apostrophes inside words.
enum class Punctuation { keep, drop };
template <>
inline constexpr std::array option_words<Punctuation>{"keep", "drop"};

/// Part of a model, like its feature settings. The defaults change white space only.
struct NormalisationConfig {
  UnicodeForm unicode = UnicodeForm::keep;
  LetterCase letter_case = LetterCase::keep;
  Punctuation punctuation = Punctuation::keep;

  void declare(Options& options);
  bool operator==(const NormalisationConfig&) const = default;
};

/// The text after, in this order:
/// - bytes that are not UTF-8 become U+FFFD, the replacement character;
/// - unicode: canonical (nfc) or compatibility (nfkc) composition;
/// - letter_case: each character's simple mapping, independent of language;
/// - punctuation = drop: characters of the Unicode categories P become spaces, except for an
///   apostrophe between letters or digits, which stays (U+2019 as U+0027);
/// - Unicode white space (no-break and ideographic spaces, tabs, line breaks) is removed at the
///   ends, and one or several in a row become one space.
std::string normalise_text(std::string_view text, const NormalisationConfig& config);

}  // namespace scion
