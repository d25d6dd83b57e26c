#include "scion/scoring/content_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "scion/text/utf8.h"

namespace scion {

std::vector<ContentLine> content_lines(std::string_view content, const std::string& place) {
  std::vector<ContentLine> lines;
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);  // a byte order mark
  for (size_t start = 0, number = 1; start < content.size(); ++number) {
    const size_t end = std::min(content.find('\n', start), content.size());
    const std::string_view text = strip(content.substr(start, end - start));
    start = end + 1;
    if (!text.empty()) lines.push_back({text, fmt::format("line {} of {}", number, place)});
  }
  return lines;
}

std::vector<ContentLine> uncommented_lines(std::string_view content, const std::string& place) {
  std::vector<ContentLine> lines = content_lines(content, place);
  std::erase_if(lines, [](const ContentLine& line) { return line.text.starts_with(";;"); });
  return lines;
}

std::optional<double> parse_seconds(std::string_view field) {
  double value = 0;
  const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  const bool whole = error == std::errc() && stop == field.data() + field.size();
  if (!whole || !std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

}  // namespace scion
