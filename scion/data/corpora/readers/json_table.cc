#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/readers/table.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using TableJson = nlohmann::ordered_json;

constexpr auto json_table_hint =
    "a table is one JSON object a line, an array of objects, or an object of objects";

/// The value as a field of a table. Lists and objects are no fields.
std::string field_text(const TableJson& value) {
  if (value.is_null() || value.is_structured()) return "";
  if (value.is_string()) return value.get<std::string>();
  return value.dump(-1, ' ', false, TableJson::error_handler_t::replace);
}

/// Collects objects, whose keys may differ.
class JsonTable {
 public:
  explicit JsonTable(const fs::path& path, std::string unit) {
    table_.path = path;
    table_.unit = std::move(unit);
  }

  /// `id`: the object's, where it does not hold it itself.
  void add(const TableJson& object, size_t line, const std::string& id = "") {
    TableRow row{{}, line};
    if (!object.is_object())
      throw UserError(table_.where(row) + ": not a JSON object", json_table_hint);
    for (const auto& [key, value] : object.items()) set(row, key, field_text(value));
    if (!id.empty() && !object.contains("id")) set(row, "id", id);
    table_.rows.push_back(std::move(row));
  }

  CorpusTable finished() && {
    for (TableRow& row : table_.rows) row.fields.resize(table_.columns.size());
    return std::move(table_);
  }

 private:
  void set(TableRow& row, const std::string& key, std::string field) {
    const auto [found, is_new] = columns_.emplace(key, table_.columns.size());
    if (is_new) table_.columns.push_back(key);
    if (row.fields.size() <= found->second) row.fields.resize(found->second + 1);
    row.fields[found->second] = std::move(field);
  }

  CorpusTable table_;
  std::unordered_map<std::string, size_t> columns_;
};

TableJson parse_table_json(const std::string& text, const std::string& where) {
  try {
    return TableJson::parse(text);
  } catch (const TableJson::exception& error) {
    throw UserError(fmt::format("{}: broken JSON: {}", where, error.what()), json_table_hint);
  }
}

/// An array of objects, or an object whose values are objects with their id as the key.
CorpusTable read_whole_json(const fs::path& path) {
  const TableJson whole = parse_table_json(read_text(path), path.string());
  JsonTable table(path, "entry ");
  size_t entry = 0;
  for (const auto& [key, value] : whole.items())
    table.add(value, ++entry, whole.is_object() ? key : "");
  return std::move(table).finished();
}

/// Whether the first line is an object by itself, with fields.
bool is_json_lines(const fs::path& path) {
  TextLines lines(path);
  std::string line;
  while (lines.next(line))
    if (line.find_first_not_of(" \t") != std::string::npos) break;
  if (!TableJson::accept(line)) return false;
  const TableJson object = TableJson::parse(line);
  return object.is_object() &&
         !std::all_of(object.begin(), object.end(), [](const auto& v) { return v.is_object(); });
}

}  // namespace

CorpusTable read_json_table(const fs::path& path) {
  if (!is_json_lines(path)) return read_whole_json(path);
  JsonTable table(path, "");
  TextLines lines(path);
  for (std::string line; lines.next(line);)
    if (line.find_first_not_of(" \t") != std::string::npos)
      table.add(parse_table_json(line, lines.where()), lines.number());
  return std::move(table).finished();
}

}  // namespace scion
