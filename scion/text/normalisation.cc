#include "scion/text/normalisation.h"

#include <utf8proc.h>

#include "scion/core/options.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

using CodePoints = std::vector<utf8proc_int32_t>;

constexpr utf8proc_int32_t replacement = 0xFFFD, apostrophe = 0x27, right_quote = 0x2019;

CodePoints read_code_points(std::string_view text) {
  CodePoints points;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t i = 0; i < text.size();) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t used =
        utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(text.size() - i), &point);
    points.push_back(used > 0 ? point : replacement);
    i += used > 0 ? static_cast<size_t>(used) : 1;
  }
  return points;
}

std::string write_code_points(const CodePoints& points) {
  std::string text;
  for (const utf8proc_int32_t point : points) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const utf8proc_ssize_t used = utf8proc_encode_char(point, bytes.data());
    text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(used));
  }
  return text;
}

CodePoints compose(const CodePoints& points, bool compatible) {
  const int form = UTF8PROC_STABLE | UTF8PROC_COMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
  const std::string text = write_code_points(points);
  utf8proc_uint8_t* composed = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &composed,
                                             static_cast<utf8proc_option_t>(form));
  if (size < 0) throw std::bad_alloc();  // it is valid UTF-8: nothing else is left
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(composed, std::free);
  return read_code_points({reinterpret_cast<const char*>(composed), static_cast<size_t>(size)});
}

bool is_punctuation(utf8proc_int32_t point) {
  const utf8proc_category_t category = utf8proc_category(point);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

bool is_letter_or_digit(utf8proc_int32_t point) {
  const utf8proc_category_t category = utf8proc_category(point);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;  // with marks
}

void drop_punctuation(CodePoints& points) {
  const CodePoints before = points;
  for (size_t i = 0; i < points.size(); ++i) {
    if (!is_punctuation(before[i])) continue;
    const bool inside = i > 0 && i + 1 < before.size() && is_letter_or_digit(before[i - 1]) &&
                        is_letter_or_digit(before[i + 1]);
    const bool quote = before[i] == apostrophe || before[i] == right_quote;
    points[i] = quote && inside ? apostrophe : ' ';
  }
}

CodePoints collapse_white_space(const CodePoints& points) {
  CodePoints out;
  for (const utf8proc_int32_t point : points) {
    if (!is_white_space(point))
      out.push_back(point);
    else if (!out.empty() && out.back() != ' ')
      out.push_back(' ');
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// ASCII with single spaces inside: most texts, and nothing to do for them.
bool is_plain(std::string_view text) {
  bool after_space = true;
  for (const char byte : text) {
    const auto value = static_cast<unsigned char>(byte);
    if (value >= 0x80 || value < ' ') return false;
    if (byte == ' ' && after_space) return false;
    after_space = byte == ' ';
  }
  return text.empty() || !after_space;
}

}  // namespace

void NormalisationConfig::declare(Options& options) {
  options.add("unicode", unicode, "composition of characters");
  options.add("letter_case", letter_case, "case of letters");
  options.add("punctuation", punctuation,
              "drop: becomes a space, but for apostrophes inside words");
}

std::string normalise_text(std::string_view text, const NormalisationConfig& config) {
  if (config == NormalisationConfig{} && is_plain(text)) return std::string(text);
  CodePoints points = read_code_points(text);
  if (config.unicode != UnicodeForm::keep)
    points = compose(points, config.unicode == UnicodeForm::nfkc);
  for (utf8proc_int32_t& point : points) {
    if (config.letter_case == LetterCase::lower) point = utf8proc_tolower(point);
    if (config.letter_case == LetterCase::upper) point = utf8proc_toupper(point);
  }
  if (config.punctuation == Punctuation::drop) drop_punctuation(points);
  return write_code_points(collapse_white_space(points));
}

}  // namespace scion
