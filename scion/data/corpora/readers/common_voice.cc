#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/readers/readers.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> split_tabs(const std::string& line) {
  std::vector<std::string> fields;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find('\t', begin), line.size());
    fields.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return fields;
}

/// Undoes CSV's quoting: quotes around the field, and those inside it doubled. False for a field
/// that only has quotation marks of its own.
bool unquote(std::string& field) {
  if (field.size() < 2 || !field.starts_with('"') || !field.ends_with('"')) return false;
  std::string plain;
  for (size_t i = 1; i + 1 < field.size(); ++i) {
    if (field[i] == '"' && (++i + 1 == field.size() || field[i] != '"')) return false;
    plain += field[i];
  }
  field = std::move(plain);
  return true;
}

struct CommonVoiceColumns {
  size_t count, speaker, path, sentence;
};

CommonVoiceColumns columns_of(const std::string& first_line, const fs::path& table) {
  const std::vector<std::string> names = split_tabs(first_line);
  const auto place_of = [&](const char* name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw UserError(fmt::format("{} has no column '{}'", table.string(), name),
                      "a table of Common Voice has client_id, path and sentence in its first line");
    return static_cast<size_t>(found - names.begin());
  };
  return {names.size(), place_of("client_id"), place_of("path"), place_of("sentence")};
}

}  // namespace

Corpus read_common_voice(const fs::path& table) {
  TextLines lines(table);
  std::string line;
  lines.next(line);
  const CommonVoiceColumns columns = columns_of(line, table);
  Corpus corpus;
  size_t quoted = 0;
  while (lines.next(line)) {
    if (line.empty()) continue;
    std::vector<std::string> fields = split_tabs(line);
    if (fields.size() <= std::max({columns.speaker, columns.path, columns.sentence})) {
      corpus.skipped.push_back({lines.where(),
                                fmt::format("{} columns of {}", fields.size(), columns.count),
                                "columns are separated by tabs"});
      continue;
    }
    std::string& sentence = fields[columns.sentence];
    quoted += unquote(sentence) ? 1 : 0;
    const std::string& clip = fields[columns.path];
    if (clip.empty()) {
      corpus.skipped.push_back({lines.where(), "its path is empty"});
      continue;
    }
    corpus.utterances.push_back({.id = fs::path(clip).replace_extension().string(),
                                 .audio = table.parent_path() / "clips" / clip,
                                 .text = sentence,
                                 .speaker = fields[columns.speaker]});
  }
  check_not_empty(corpus, table, "name train.tsv, dev.tsv or test.tsv");
  if (quoted > 0)
    corpus.remarks.push_back(
        fmt::format("{} sentences were quoted as in CSV: their quotes are undone", quoted));
  return corpus;
}

}  // namespace scion
