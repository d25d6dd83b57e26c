#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/readers/audio_finder.h"
#include "scion/data/corpora/tables/table.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// Whether the first row names the columns.
bool has_header(const std::vector<std::string>& first, const TableConfig& config) {
  if (config.header != TableHeader::automatic) return config.header == TableHeader::yes;
  const TableColumns& columns = config.columns;
  for (const std::string* chosen :
       {&columns.audio, &columns.text, &columns.speaker, &columns.id, &columns.begin, &columns.end,
        &columns.seconds, &columns.channel}) {
    const bool is_number = chosen->find_first_not_of("0123456789") == std::string::npos;
    if (!is_number || std::find(first.begin(), first.end(), *chosen) != first.end()) return true;
  }
  // Where columns are given by number, a known word may be a text of one word.
  return count_known_columns(first) >= (columns.any_chosen() ? 2 : 1);
}

std::string first_word(const std::string& text) {
  std::string word;
  for (const unsigned char c : text)
    if (c >= 0x80 || std::isalnum(c))
      word += static_cast<char>(std::tolower(c));
    else if (!word.empty())
      break;
  return word;
}

/// Whether the third column is the second one, normalised: most rows begin with the same word.
bool repeats_texts(const CorpusTable& table) {
  size_t same = 0;
  for (const TableRow& row : table.rows)
    same += first_word(row.fields[1]) == first_word(row.fields[2]) ? 1 : 0;
  return 2 * same > table.rows.size();
}

/// Names the columns of a table of LJSpeech; leaves any other as it is.
void name_ljspeech_columns(CorpusTable& table, const TableConfig& config) {
  const size_t columns = table.columns.size();
  if (table.rows.empty() || columns < 2 || columns > 3) return;
  AudioFinder finder(config.audio_folder.empty() ? table.path.parent_path()
                                                 : fs::path(config.audio_folder));
  if (!finder.find(table.rows.front().fields[0])) return;
  if (columns == 2)
    table.columns = {"audio", "text"};
  else if (repeats_texts(table))
    table.columns = {"audio", "raw_text", "text"};
}

}  // namespace

CorpusTable read_delimited_table(const fs::path& path, const TableConfig& config) {
  const std::string text = read_text(path);
  const bool found = config.delimiter == Delimiter::automatic;
  const Delimiter delimiter = found ? find_delimiter(text, path) : config.delimiter;
  CorpusTable table{.path = path, .columns = {}, .rows = {}};
  std::vector<DelimitedRow> rows = parse_delimited(text, delimiter, path);
  if (rows.empty())
    throw UserError(path.string() + " has no rows", "a table has an utterance a row");
  const bool header = table.has_header = has_header(rows.front().fields, config);
  for (size_t i = 0; i < rows.front().fields.size(); ++i)
    table.columns.push_back(header ? rows.front().fields[i] : std::to_string(i + 1));
  for (size_t i = header ? 1 : 0; i < rows.size(); ++i) {
    TableRow row{std::move(rows[i].fields), rows[i].line};
    if (row.fields.size() != table.columns.size()) {
      row.fault = fmt::format("{} columns of {}", row.fields.size(), table.columns.size());
      row.hint = fmt::format(
          "columns are separated by a {}: one within a text needs quotes; "
          "--table.delimiter names another",
          word_of(delimiter));
      row.fields.resize(table.columns.size());
    }
    table.rows.push_back(std::move(row));
  }
  const bool chosen = !config.columns.audio.empty() || !config.columns.text.empty();
  if (!header && !chosen && delimiter == Delimiter::pipe) name_ljspeech_columns(table, config);
  return table;
}

}  // namespace scion
