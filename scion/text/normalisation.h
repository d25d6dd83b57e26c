// Text normalisation, applied to every text before it is tokenized or compared.
#pragma once

#include <string>
#include <string_view>

namespace scion {

class Options;

/// Part of a model, like its feature settings. The defaults change white space only.
struct NormalisationConfig {
  std::string unicode = "keep";      ///< keep, nfc, nfkc (Unicode Standard Annex 15)
  std::string letter_case = "keep";  ///< keep, lower, upper
  std::string punctuation = "keep";  ///< keep, drop

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
