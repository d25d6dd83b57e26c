// Tables with an utterance a row: CSV and its kin, or JSON objects.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "scion/core/options.h"
#include "scion/data/corpora/readers/readers.h"
#include "scion/data/corpora/tables/delimited.h"

namespace scion {

/// Names of a table's columns, or their numbers from 1. Empty: found by the names that are common.
struct TableColumns {
  std::string audio, text, speaker, id, begin, end, seconds, channel;
  std::vector<std::string> ignored;  ///< never found by their names

  bool any_chosen() const;
  void declare(Options& options);
};

/// automatic: a first line with known names, or with those of the options, is a header.
enum class TableHeader { automatic, yes, no };
template <>
inline constexpr std::array option_words<TableHeader>{"auto", "yes", "no"};

struct TableConfig {
  Delimiter delimiter = Delimiter::automatic;
  TableHeader header = TableHeader::automatic;
  std::string audio_folder;  ///< that audio paths count from; empty: the table's
  TableColumns columns;      ///< a section of its own

  void declare(Options& options);
};

struct TableRow {
  std::vector<std::string> fields;    ///< one a column; "" where it is missing
  size_t line = 0;                    ///< of the file, or the entry of a JSON file; from 1
  std::string fault = "", hint = "";  ///< why it cannot be read
};

struct CorpusTable {
  std::filesystem::path path;
  std::vector<std::string> columns;  ///< their names; "1", "2", … where the table has none
  std::vector<TableRow> rows;
  bool has_header = true;  ///< or keys
  std::string unit = "";   ///< "entry " where TableRow::line counts entries

  std::string where(const TableRow& row) const;
};

/// Columns of a table, as indices.
struct ColumnIndices {
  size_t audio = 0, text = 0;
  std::optional<size_t> speaker, id, begin, end, seconds, channel;
};

/// How many of audio and text have a known name among `names`, 0 to 2.
int count_known_columns(const std::vector<std::string>& names);

/// UserError that names the columns when one is missing, or several may be meant.
ColumnIndices find_columns(const CorpusTable& table, const TableColumns& columns);

/// CSV, TSV and tables between `|` or `;`. A table without header and options is read where it is
/// LJSpeech's `id|text` or `id|text|normalised text`. A row with more or fewer fields than the
/// first one is faulty.
CorpusTable read_delimited_table(const std::filesystem::path& path, const TableConfig& config);

/// JSON lines, an array of objects, or an object of objects (SpeechBrain) whose keys are ids.
CorpusTable read_json_table(const std::filesystem::path& path);

/// The utterances of a file that is either.
Corpus read_table(const std::filesystem::path& path, const TableConfig& config);

/// The utterances of a table. Skipped: faulty rows, those without audio, times and channels that
/// are none.
Corpus table_corpus(const CorpusTable& table, const TableConfig& config);

}  // namespace scion
