#include "scion/data/corpora/tables/delimited.h"

#include <fmt/format.h>

#include <algorithm>

#include "scion/core/error.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

char delimiter_character(Delimiter delimiter) {
  switch (delimiter) {
    case Delimiter::tab:
      return '\t';
    case Delimiter::pipe:
      return '|';
    case Delimiter::semicolon:
      return ';';
    default:
      return ',';
  }
}

/// Reads the fields of a table one after the other.
class FieldReader {
 public:
  FieldReader(std::string_view text, Delimiter delimiter, const fs::path& path)
      : text_(text),
        delimiter_(delimiter),
        separator_(delimiter_character(delimiter)),
        path_(path) {}

  bool at_end() const { return at_ >= text_.size(); }
  size_t line() const { return line_; }

  /// The fields up to the end of the row.
  std::vector<std::string> row() {
    std::vector<std::string> fields;
    do fields.push_back(field());
    while (skip(separator_));
    skip('\r');
    if (skip('\n')) ++line_;
    return fields;
  }

 private:
  bool skip(char character) {
    if (at_end() || text_[at_] != character) return false;
    ++at_;
    return true;
  }

  /// Where the unquoted field that begins here ends.
  size_t plain_end() const {
    const size_t end =
        std::min(text_.find_first_of(std::string{separator_, '\n'}, at_), text_.size());
    const bool carriage_return =
        end > at_ && text_[end - 1] == '\r' && (end == text_.size() || text_[end] == '\n');
    return carriage_return ? end - 1 : end;
  }

  bool is_quoted() const {
    if (at_end() || text_[at_] != '"' || delimiter_ == Delimiter::pipe) return false;
    if (delimiter_ != Delimiter::tab) return true;
    const std::string_view field = text_.substr(at_, plain_end() - at_);
    if (field.size() < 2 || field.back() != '"') return false;
    for (size_t i = 1; i + 1 < field.size(); ++i) {  // quotes within come in pairs
      if (field[i] != '"') continue;
      if (++i + 1 >= field.size() || field[i] != '"') return false;
    }
    return true;
  }

  std::string field() {
    if (is_quoted()) return quoted();
    const size_t end = plain_end();
    std::string field(text_.substr(at_, end - at_));
    at_ = end;
    return field;
  }

  std::string quoted() {
    const size_t first_line = line_;
    std::string field;
    for (++at_; !at_end(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        if (at_end() || text_[at_] != '"') return closed(std::move(field));
      }
      if (text_[at_] == '\n') ++line_;
      field += text_[at_];
    }
    throw UserError(fmt::format("{}:{}: quotes that do not end", path_.string(), first_line),
                    "a quotation mark within a field in quotes is written twice");
  }

  /// A field whose closing quotes were read.
  std::string closed(std::string field) const {
    const std::string_view rest = text_.substr(at_, 2);
    const bool ends = rest.empty() || rest.front() == separator_ || rest.front() == '\n' ||
                      rest == "\r\n" || rest == "\r";
    if (!ends)
      throw UserError(
          fmt::format("{}:{}: '{}' after closing quotes", path_.string(), line_, rest.front()),
          "a quotation mark within a field in quotes is written twice");
    return field;
  }

  std::string_view text_;
  Delimiter delimiter_;
  char separator_;
  const fs::path& path_;
  size_t at_ = 0, line_ = 1;
};

}  // namespace

Delimiter find_delimiter(std::string_view text, const fs::path& path) {
  text = text.substr(0, text.find('\n'));
  if (text.find('\t') != std::string_view::npos) return Delimiter::tab;
  if (text.find('|') != std::string_view::npos) return Delimiter::pipe;
  const auto commas = std::count(text.begin(), text.end(), ',');
  const auto semicolons = std::count(text.begin(), text.end(), ';');
  if (commas + semicolons == 0)
    throw UserError(
        fmt::format("{}:1: no table: no comma, tab, | or ; in the first line", path.string()),
        "columns are separated by one of them; --table.delimiter names it");
  return semicolons > commas ? Delimiter::semicolon : Delimiter::comma;
}

std::vector<DelimitedRow> parse_delimited(std::string_view text, Delimiter delimiter,
                                          const fs::path& path) {
  std::vector<DelimitedRow> rows;
  for (FieldReader reader(text, delimiter, path); !reader.at_end();) {
    DelimitedRow row;
    row.line = reader.line();
    row.fields = reader.row();
    const bool blank =
        row.fields.size() == 1 && row.fields.front().find_first_not_of(" \t") == std::string::npos;
    if (!blank) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace scion
