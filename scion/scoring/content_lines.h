// The lines of a transcript file that is in memory.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scion {

struct ContentLine {
  std::string_view text;  ///< without white space at its ends
  std::string where;      ///< "line 3 of refs.txt"
};

/// The lines that hold more than white space, as views of `content`; `place` names the file.
std::vector<ContentLine> content_lines(std::string_view content, const std::string& place);
std::vector<ContentLine> content_lines(std::string&& content, const std::string& place) = delete;

/// Without those that begin with ";;", comments in NIST's formats.
std::vector<ContentLine> uncommented_lines(std::string_view content, const std::string& place);
std::vector<ContentLine> uncommented_lines(std::string&& content,
                                           const std::string& place) = delete;

/// A time in seconds; nothing when the field is not a number, negative or not finite.
std::optional<double> parse_seconds(std::string_view field);

}  // namespace scion
