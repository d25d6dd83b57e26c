#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/tables/table.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using TableJson = nlohmann::json;

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
    if (!object.is_object()) return add_fault("not a JSON object", line);
    for (const auto& [key, value] : object.items()) set(row, key, field_text(value));
    if (!id.empty() && !object.contains("id")) set(row, "id", id);
    table_.rows.push_back(std::move(row));
  }

  void add_fault(const std::string& fault, size_t line) {
    table_.rows.push_back({{}, line, fault, json_table_hint});
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

/// An array of objects, or an object whose values are objects with their id as the key.
CorpusTable read_whole_json(const fs::path& path) {
  TableJson whole;
  try {
    whole = TableJson::parse(read_text(path));
  } catch (const TableJson::exception& error) {
    throw UserError(fmt::format("{}: broken JSON: {}", path.string(), json_fault(error)),
                    json_table_hint);
  }
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
  try {
    const TableJson object = parse_json_object(line, lines.where());
    return !std::all_of(object.begin(), object.end(), [](const auto& v) { return v.is_object(); });
  } catch (const UserError&) {  // the beginning of an array or of a larger object
    return false;
  }
}

}  // namespace

CorpusTable read_json_table(const fs::path& path) {
  if (!is_json_lines(path)) return read_whole_json(path);
  JsonTable table(path, "");
  TextLines lines(path);
  for (std::string line; lines.next(line);) {
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    try {
      table.add(parse_json_object(line, lines.where()), lines.number());
    } catch (const UserError& error) {
      table.add_fault(skipped_for(error, lines.where()).reason, lines.number());
    }
  }
  return std::move(table).finished();
}

}  // namespace scion
