#include "scion/data/corpora/tables/table.h"

#include <charconv>

#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/readers/audio_finder.h"
#include "scion/data/manifest/default_ids.h"
#include "scion/scoring/content_lines.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// Makes utterances of the rows of one table.
class RowReader {
 public:
  RowReader(const CorpusTable& table, const TableConfig& config)
      : table_(table),
        columns_(find_columns(table, config.columns)),
        folder_(config.audio_folder.empty() ? table.path.parent_path()
                                            : fs::path(config.audio_folder)),
        finder_(folder_) {}

  bool has_ids() const { return columns_.id.has_value(); }

  Utterance utterance(const TableRow& row) {
    std::string name = row.fields[columns_.audio];
    for (const char* root : {"$data_root/", "{data_root}/"})  // SpeechBrain's
      if (name.starts_with(root)) name.erase(0, std::string_view(root).size());
    if (name.empty())
      throw UserError(fmt::format("{}: no audio in column '{}'", table_.where(row),
                                  table_.columns[columns_.audio]),
                      "every row names an audio file");
    Utterance utterance{.id = field(row, columns_.id),
                        .audio = {},
                        .text = row.fields[columns_.text],
                        .speaker = field(row, columns_.speaker)};
    set_part(utterance, row);
    const std::optional<fs::path> found = finder_.find(name);
    if (!found && !utterance.part.is_segment()) split_part(name, utterance);
    utterance.audio = found ? *found : finder_.find_or_name(name);
    return utterance;
  }

 private:
  static std::string field(const TableRow& row, const std::optional<size_t>& column) {
    return column ? row.fields[*column] : "";
  }

  std::optional<double> seconds(const TableRow& row, const std::optional<size_t>& column) const {
    const std::string text = field(row, column);
    if (text.empty()) return std::nullopt;
    const std::optional<double> seconds = parse_seconds(text);
    if (!seconds)
      throw UserError(fmt::format("{}: '{}' in column '{}' is no time", table_.where(row), text,
                                  table_.columns[*column]),
                      "times are in seconds; --column.ignored leaves a column unread");
    return seconds;
  }

  /// begin with end or seconds cuts a part out of the file, and so does end; seconds alone is the
  /// length of the file.
  void set_part(Utterance& utterance, const TableRow& row) const {
    const auto begin = seconds(row, columns_.begin);
    const auto end = seconds(row, columns_.end);
    utterance.seconds = seconds(row, columns_.seconds).value_or(0);
    utterance.part.channel = channel(row);
    if (!begin && !end) return;
    utterance.part.begin_seconds = begin.value_or(0);
    if (end) utterance.seconds = *end - utterance.part.begin_seconds;
    if (end ? utterance.seconds <= 0 : columns_.seconds && utterance.seconds <= 0)
      throw UserError(fmt::format("{}: a part from {} s that lasts {} s", table_.where(row),
                                  utterance.part.begin_seconds, utterance.seconds),
                      "its end must come after its beginning");
    utterance.part.seconds = utterance.seconds;
  }

  /// WeNet's "path,begin,end", which becomes the path.
  static void split_part(std::string& name, Utterance& utterance) {
    const size_t second = name.rfind(',');
    if (second == std::string::npos || second == 0) return;
    const size_t first = name.rfind(',', second - 1);
    if (first == std::string::npos) return;
    const auto begin = parse_seconds(name.substr(first + 1, second - first - 1));
    const auto end = parse_seconds(name.substr(second + 1));
    if (!begin || !end || *end <= *begin) return;
    utterance.part.begin_seconds = *begin;
    utterance.part.seconds = utterance.seconds = *end - *begin;
    name.resize(first);
  }

  int64_t channel(const TableRow& row) const {
    const std::string text = field(row, columns_.channel);
    if (text.empty() || text == "mix") return -1;
    int64_t channel = -1;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, channel);
    if (error != std::errc() || stop != end || channel < 0 || channel > 1023)
      throw UserError(fmt::format("{}: '{}' in column '{}' is no channel", table_.where(row), text,
                                  table_.columns[*columns_.channel]),
                      "channels count from 0; \"mix\" is the average of all; --column.ignored "
                      "leaves a column unread");
    return channel;
  }

  const CorpusTable& table_;
  ColumnIndices columns_;
  fs::path folder_;
  AudioFinder finder_;
};

/// Whether a column that was found by its name holds an id of its own for every row.
bool ids_differ(const Corpus& corpus) {
  std::set<std::string> ids;
  return std::all_of(corpus.utterances.begin(), corpus.utterances.end(), [&](const Utterance& one) {
    return !one.id.empty() && ids.insert(one.id).second;
  });
}

}  // namespace

std::string CorpusTable::where(const TableRow& row) const {
  return fmt::format("{}:{}{}", path.string(), unit, row.line);
}

Corpus read_table(const fs::path& path, const TableConfig& config) {
  TextLines lines(path);
  std::string line;
  while (lines.next(line))
    if (line.find_first_not_of(" \t") != std::string::npos) break;
  const bool json = line.find_first_of("{[") == line.find_first_not_of(" \t");
  return table_corpus(
      json && !line.empty() ? read_json_table(path) : read_delimited_table(path, config), config);
}

Corpus table_corpus(const CorpusTable& table, const TableConfig& config) {
  RowReader reader(table, config);
  Corpus corpus;
  for (const TableRow& row : table.rows) {
    const std::string where = table.where(row);
    try {
      if (!row.fault.empty()) throw UserError(where + ": " + row.fault, row.hint);
      corpus.utterances.push_back(reader.utterance(row));
    } catch (const UserError& error) {
      corpus.skipped.push_back(skipped_for(error, where));
    }
  }
  if (reader.has_ids() && config.columns.id.empty() && !ids_differ(corpus))
    for (Utterance& utterance : corpus.utterances) utterance.id.clear();  // ids of something else
  fill_default_ids(corpus.utterances);
  check_not_empty(corpus, table.path, "a table has an utterance a row");
  return corpus;
}

}  // namespace scion
