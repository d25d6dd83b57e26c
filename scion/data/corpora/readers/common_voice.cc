#include <sstream>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
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

size_t column_of(const std::vector<std::string>& names, const std::string& name,
                 const fs::path& table) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    throw UserError(fmt::format("{} has no column '{}'", table.string(), name),
                    "a table of Common Voice has client_id, path and sentence in its first line");
  return static_cast<size_t>(found - names.begin());
}

}  // namespace

Corpus read_common_voice(const fs::path& table) {
  std::istringstream lines(read_file(table));
  std::string line;
  std::getline(lines, line);
  line.erase(line.find_last_not_of('\r') + 1);
  const std::vector<std::string> names = split_tabs(line);
  const size_t speaker = column_of(names, "client_id", table);
  const size_t path = column_of(names, "path", table);
  const size_t sentence = column_of(names, "sentence", table);
  Corpus corpus;
  std::unordered_map<std::string, size_t> first_lines;
  for (size_t number = 2; std::getline(lines, line); ++number) {
    line.erase(line.find_last_not_of('\r') + 1);
    if (line.empty()) continue;
    const std::vector<std::string> fields = split_tabs(line);
    if (fields.size() <= std::max({speaker, path, sentence}))
      throw UserError(fmt::format("{}:{}: {} columns of {}", table.string(), number, fields.size(),
                                  names.size()),
                      "columns are separated by tabs");
    Utterance utterance{.id = fs::path(fields[path]).stem().string(),
                        .audio = table.parent_path() / "clips" / fields[path],
                        .text = fields[sentence],
                        .speaker = fields[speaker]};
    const auto [first, is_new] = first_lines.emplace(utterance.id, number);
    if (!is_new)
      throw UserError(fmt::format("{}:{}: duplicate '{}' (first used in line {})", table.string(),
                                  number, fields[path], first->second),
                      "leave one of them out");
    corpus.utterances.push_back(std::move(utterance));
  }
  if (corpus.utterances.empty())
    throw UserError("no utterances in " + table.string(), "name train.tsv, dev.tsv or test.tsv");
  return corpus;
}

}  // namespace scion
