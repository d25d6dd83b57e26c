#include "scion/core/files/json_lines.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/text_lines.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json parse_line(std::string_view line) {
  json value = json::parse(line, nullptr, false);
  return value.is_object() ? value : json();
}

}  // namespace

std::string without_python_numbers(std::string_view line) {
  std::string text;
  for (size_t i = 0; i < line.size();) {
    if (line[i] == '"') {
      size_t end = i + 1;
      while (end < line.size() && line[end] != '"') end += line[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, line.size());
      text += line.substr(i, end - i);
      i = end;
      continue;
    }
    size_t length = 0;
    for (const std::string_view word : {"NaN", "Infinity", "-Infinity"})
      if (line.substr(i).starts_with(word)) length = word.size();
    text += length > 0 ? std::string_view("null") : line.substr(i, 1);
    i += std::max<size_t>(1, length);
  }
  return text;
}

std::string json_fault(const std::exception& error) {
  const std::string what = error.what();  // "[json.exception.parse_error.101] parse error at …"
  const size_t end = what.find("] ");
  return end == std::string::npos ? what : what.substr(end + 2);
}

json parse_json_object(std::string_view line, const std::string& where) {
  constexpr auto hint = "write one JSON object a line";
  check_line(line, where);
  json object = json::parse(line, nullptr, false);
  if (object.is_discarded()) {
    try {
      object = json::parse(without_python_numbers(line));
    } catch (const json::exception& error) {
      throw UserError(fmt::format("{}: broken JSON: {}", where, json_fault(error)), hint);
    }
  }
  if (!object.is_object()) throw UserError(where + ": not a JSON object", hint);
  return object;
}

std::vector<json> read_json_lines(const fs::path& path) {
  std::vector<json> lines;
  if (!fs::exists(path)) return lines;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);)
    if (json value = parse_line(line); !value.is_null()) lines.push_back(std::move(value));
  return lines;
}

json last_json_line(const fs::path& path) {
  std::error_code missing;
  const auto size = fs::file_size(path, missing);
  if (missing || size == 0) return {};
  const MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()),
                              file.bytes().size());
  const size_t end = text.rfind('\n');
  if (end == std::string_view::npos || end == 0) return {};
  const size_t before = text.rfind('\n', end - 1);
  const size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return parse_line(text.substr(begin, end - begin));
}

void keep_lines(const fs::path& path, const std::function<bool(const json&)>& keep) {
  if (!fs::exists(path)) return;
  std::string kept;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);)
    if (const json value = parse_line(line); !value.is_null() && keep(value)) kept += line + "\n";
  write_file(path, kept);
}

}  // namespace scion
