#include "scion/core/files/json_lines.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "scion/core/files/file.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json parse_line(std::string_view line) {
  json value = json::parse(line, nullptr, false);
  return value.is_object() ? value : json();
}

}  // namespace

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
