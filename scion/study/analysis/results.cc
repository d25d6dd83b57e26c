#include "scion/study/analysis/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/options.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

using nlohmann::json;

auto key_of(const ResultRow& row) {
  return std::make_tuple(row.budget, row.arm, row.teacher, row.seed, row.update, row.set,
                         row.weights);
}

Weights weights_of(const json& object) {
  const std::string text = object.value("weights", "raw");
  if (const auto weights = enum_of<Weights>(text)) return *weights;
  throw UserError(fmt::format("weights is '{}', must be raw or averaged", text));
}

ResultRow row_of(const json& object) {
  ResultRow row;
  object.at(object.contains("schedule") ? "schedule" : "budget").get_to(row.budget);
  object.at("arm").get_to(row.arm);
  object.at("set").get_to(row.set);
  row.teacher = object.value("teacher", int64_t{0});
  object.at("seed").get_to(row.seed);
  row.weights = weights_of(object);
  object.at("update").get_to(row.update);
  object.at("epoch").get_to(row.epoch);
  object.at("errors").get_to(row.errors);
  object.at("words").get_to(row.words);
  // JSON has no number for an infinite rate (errors on zero words).
  row.wer = object.at("wer").is_null() ? HUGE_VAL : object.at("wer").get<double>();
  row.substitutions = object.value("substitutions", int64_t{0});
  row.insertions = object.value("insertions", int64_t{0});
  row.deletions = object.value("deletions", int64_t{0});
  row.training_seconds = object.value("training_seconds", 0.0);
  row.compute_seconds = object.value("compute_seconds", row.training_seconds);
  if (object.contains("utterances"))
    for (const json& utterance : object["utterances"])
      row.utterances.push_back(
          {utterance.at(0), utterance.at(1), utterance.at(2), utterance.at(3)});
  return row;
}

// Calls visit(line, number from 1, whether a newline ends it) for every line that is not blank.
template <class Visit>
void for_lines(std::string_view content, Visit visit) {
  int64_t number = 1;
  for (size_t start = 0; start < content.size(); ++number) {
    const size_t end = std::min(content.find('\n', start), content.size());
    const std::string_view line = strip(content.substr(start, end - start));
    if (!line.empty()) visit(line, number, end < content.size());
    start = end + 1;
  }
}

// Fields of one CSV line (RFC 4180 without line breaks in fields).
std::vector<std::string> split_fields(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        fields.back() += line[++i];
      else
        quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  for (std::string& field : fields) field = std::string(strip(field));
  return fields;
}

const std::vector<std::string> required_columns = {"epoch", "set", "arm", "wer"};
const std::vector<std::string> optional_columns = {
    "teacher", "seed", "budget", "update", "training_seconds", "compute_seconds"};
constexpr const char* old_budget_column = "schedule";

std::vector<std::string> read_header(std::string_view line) {
  std::vector<std::string> header = split_fields(line);
  std::replace(header.begin(), header.end(), std::string(old_budget_column), std::string("budget"));
  return header;
}

void check_header(const std::vector<std::string>& header, const std::string& place) {
  std::vector<std::string> known = required_columns;
  known.insert(known.end(), optional_columns.begin(), optional_columns.end());
  for (const std::string& column : header) {
    if (std::find(known.begin(), known.end(), column) == known.end()) {
      const std::string nearest = nearest_name(column, known);
      throw UserError(fmt::format("unknown column '{}' in {}", column, place),
                      nearest.empty() ? fmt::format("known columns: {}", fmt::join(known, ", "))
                                      : fmt::format("did you mean '{}'?", nearest));
    }
    if (std::count(header.begin(), header.end(), column) > 1)
      throw UserError(fmt::format("column '{}' occurs twice in {}", column, place));
  }
  for (const std::string& column : required_columns)
    if (std::find(header.begin(), header.end(), column) == header.end())
      throw UserError(fmt::format("column '{}' is missing in {}", column, place),
                      fmt::format("the first line names the columns: {}", fmt::join(known, ",")));
}

// One line of a table, by column name.
class Fields {
 public:
  Fields(const std::vector<std::string>& header, std::string_view line, std::string place)
      : header_(header), fields_(split_fields(line)), place_(std::move(place)) {
    if (fields_.size() != header.size())
      throw UserError(fmt::format("{} fields where the header has {}: {}", fields_.size(),
                                  header.size(), place_));
  }

  std::string text(const std::string& column) const {
    const auto found = std::find(header_.begin(), header_.end(), column);
    return found == header_.end() ? "" : fields_[static_cast<size_t>(found - header_.begin())];
  }

  std::string required_text(const std::string& column) const {
    std::string value = text(column);
    if (value.empty()) throw UserError(fmt::format("{} is empty: {}", column, place_));
    return value;
  }

  // A finite number, 0 or more.
  template <class Number>
  Number number(const std::string& column, std::optional<Number> otherwise = {}) const {
    const std::string value = text(column);
    if (value.empty() && otherwise) return *otherwise;
    Number result{};
    const char* end = value.data() + value.size();
    const auto [rest, failed] = std::from_chars(value.data(), end, result);
    if (failed != std::errc() || rest != end || !(result >= 0) ||
        !std::isfinite(static_cast<double>(result)))
      throw UserError(fmt::format(
          "{} '{}' is not a {}: {}", column, value,
          std::is_integral_v<Number> ? "whole number, 0 or more" : "number, 0 or more", place_));
    return result;
  }

 private:
  const std::vector<std::string>& header_;
  std::vector<std::string> fields_;
  std::string place_;
};

ResultRow row_of(const Fields& fields) {
  ResultRow row;
  row.epoch = fields.number<double>("epoch");
  row.set = fields.required_text("set");
  row.arm = fields.required_text("arm");
  row.wer = fields.number<double>("wer");
  row.teacher = fields.number<int64_t>("teacher", 0);
  row.seed = fields.number<int64_t>("seed", 0);
  row.budget = fields.text("budget");
  row.update = fields.number<int64_t>("update", 0);
  row.training_seconds = fields.number<double>("training_seconds", 0.0);
  row.compute_seconds = fields.number<double>("compute_seconds", row.training_seconds);
  return row;
}

}  // namespace

std::string run_text(const RunKey& run) {
  return run.teacher == 0 ? fmt::format("seed {}", run.seed)
                          : fmt::format("teacher {}, seed {}", run.teacher, run.seed);
}

std::string to_line(const ResultRow& row) {
  json object = {{"budget", row.budget},
                 {"arm", row.arm},
                 {"teacher", row.teacher},
                 {"seed", row.seed},
                 {"weights", word_of(row.weights)},
                 {"update", row.update},
                 {"set", row.set},
                 {"epoch", row.epoch},
                 {"wer", row.wer},
                 {"errors", row.errors},
                 {"words", row.words},
                 {"substitutions", row.substitutions},
                 {"insertions", row.insertions},
                 {"deletions", row.deletions},
                 {"training_seconds", row.training_seconds},
                 {"compute_seconds", row.compute_seconds}};
  json& utterances = object["utterances"] = json::array();
  for (const UtteranceErrors& utterance : row.utterances)
    utterances.push_back({utterance.id, utterance.speaker, utterance.errors, utterance.words});
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::vector<ResultRow> parse_results(std::string_view content, const std::string& place) {
  std::vector<ResultRow> rows;
  std::map<decltype(key_of(ResultRow())), size_t> indices;
  for_lines(content, [&](std::string_view line, int64_t number, bool whole) {
    ResultRow row;
    try {
      row = row_of(json::parse(line));
    } catch (const std::exception& error) {
      if (!whole) return;  // the writing process was killed
      throw UserError(fmt::format("line {} of {} is not a result: {}", number, place, error.what()),
                      "remove that line, or remove the file and run the study again");
    }
    const auto [entry, is_new] = indices.emplace(key_of(row), rows.size());
    if (is_new)
      rows.push_back(std::move(row));
    else
      rows[entry->second] = std::move(row);
  });
  return rows;
}

std::vector<ResultRow> read_results(const std::filesystem::path& path) {
  return parse_results(read_file(path), path.string());
}

void write_results(const std::filesystem::path& path, const std::vector<ResultRow>& rows) {
  std::string content;
  for (const ResultRow& row : rows) content += to_line(row) + '\n';
  write_file(path, content);
}

std::vector<ResultRow> parse_result_table(std::string_view content, const std::string& place) {
  if (content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);  // a byte order mark
  std::vector<std::string> header;
  std::vector<ResultRow> rows;
  std::set<std::pair<decltype(key_of(ResultRow())), double>> seen;
  for_lines(content, [&](std::string_view line, int64_t number, bool) {
    if (line.starts_with('#')) return;
    if (header.empty()) {
      header = read_header(line);
      return check_header(header, place);
    }
    const std::string where = fmt::format("line {} of {}", number, place);
    rows.push_back(row_of(Fields(header, line, where)));
    const ResultRow& row = rows.back();
    if (!seen.emplace(key_of(row), row.epoch).second)
      throw UserError(fmt::format("arm '{}' on '{}' at epoch {} occurs again in {}", row.arm,
                                  row.set, row.epoch, where),
                      "distinguish the runs by a column 'seed' or 'budget'");
  });
  if (rows.empty())
    throw UserError(fmt::format("no results in {}", place),
                    "a header line 'epoch,set,arm,wer', then one evaluation a line");
  return rows;
}

std::vector<ResultRow> read_result_table(const std::filesystem::path& path) {
  return parse_result_table(read_file(path), path.string());
}

}  // namespace scion
