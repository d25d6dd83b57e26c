// Enums whose values are written as words: in options, recipes and model files.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace scion {

/// The words of an enum's values 0, 1, …; specialise it as a std::array of string literals.
template <class Enum>
inline constexpr auto option_words = nullptr;

template <class Enum>
concept WordEnum = std::is_enum_v<Enum> && requires {
  option_words<Enum>.size();
};

template <WordEnum Enum>
std::string word_of(Enum value) {
  return option_words<Enum>.at(static_cast<size_t>(value));
}

/// nullopt when it is none of the enum's words.
template <WordEnum Enum>
std::optional<Enum> enum_of(std::string_view word) {
  for (size_t i = 0; i < option_words<Enum>.size(); ++i)
    if (option_words<Enum>[i] == word) return static_cast<Enum>(i);
  return std::nullopt;
}

template <WordEnum Enum>
std::vector<std::string> words_of() {
  return {option_words<Enum>.begin(), option_words<Enum>.end()};
}

}  // namespace scion
