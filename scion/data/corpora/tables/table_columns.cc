#include <fmt/ranges.h>

#include <charconv>

#include "scion/core/error.h"
#include "scion/data/corpora/tables/table.h"

namespace scion {
namespace {

using ColumnNames = std::vector<std::string>;

/// What a column is for, and the names under which it is common, in lower case.
struct ColumnRole {
  const char* option;
  const char* meaning;
  std::string TableColumns::*chosen;
  ColumnNames known;
};

const ColumnRole audio_role{
    "audio",
    "audio",
    &TableColumns::audio,
    {"file_name", "filename", "file", "file_path", "filepath", "audio_filepath", "audio_file",
     "audio_path", "audio", "path", "wav", "wav_filename", "wav_path", "wav_file"}};
const ColumnRole text_role{"text",
                           "text",
                           &TableColumns::text,
                           {"text", "transcription", "transcript", "sentence", "txt", "wrd",
                            "words", "normalized_text", "normalised_text"}};
const ColumnRole speaker_role{"speaker",
                              "speaker",
                              &TableColumns::speaker,
                              {"speaker", "speaker_id", "spk", "spk_id", "client_id"}};
const ColumnRole id_role{
    "id", "id", &TableColumns::id, {"id", "utt_id", "utterance_id", "utt", "key", "segment_id"}};
const ColumnRole begin_role{
    "begin",
    "begin",
    &TableColumns::begin,
    {"begin", "start", "offset", "begin_time", "start_time", "begin_seconds", "start_seconds"}};
const ColumnRole end_role{
    "end", "end", &TableColumns::end, {"end", "stop", "end_time", "end_seconds"}};
const ColumnRole seconds_role{
    "seconds", "length", &TableColumns::seconds, {"seconds", "duration", "length"}};
const ColumnRole channel_role{"channel", "channel", &TableColumns::channel, {"channel"}};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

bool is_known(const ColumnRole& role, const std::string& name) {
  return std::find(role.known.begin(), role.known.end(), lower(name)) != role.known.end();
}

/// "its columns are 'a', 'b'".
std::string columns_text(const CorpusTable& table) {
  if (table.has_header || table.rows.empty())
    return fmt::format("its columns are '{}'", fmt::join(table.columns, "', '"));
  std::string text;
  for (size_t i = 0; i < table.columns.size(); ++i)
    text += fmt::format("{}{} ('{}')", i ? ", " : "", i + 1, table.rows.front().fields[i]);
  return "its columns are, without a header, " + text;
}

/// The column of that name, or of that number from 1.
size_t chosen_column(const CorpusTable& table, const ColumnRole& role, const std::string& chosen) {
  const ColumnNames& names = table.columns;
  const auto found = std::find(names.begin(), names.end(), chosen);
  if (found != names.end()) {
    if (std::count(names.begin(), names.end(), chosen) > 1)
      throw UserError(fmt::format("{} has several columns '{}'", table.path.string(), chosen),
                      fmt::format("give its number: --column.{} N", role.option));
    return static_cast<size_t>(found - names.begin());
  }
  size_t number = 0;
  const char* const end = chosen.data() + chosen.size();
  const auto [stop, error] = std::from_chars(chosen.data(), end, number);
  if (error == std::errc() && stop == end && number >= 1 && number <= names.size())
    return number - 1;
  const std::string near = nearest_name(chosen, names);
  throw UserError(fmt::format("{} has no column '{}' (--column.{}); {}", table.path.string(),
                              chosen, role.option, columns_text(table)),
                  near.empty() ? "give the name of a column, or its number from 1"
                               : fmt::format("did you mean '{}'?", near));
}

std::optional<size_t> find_column(const CorpusTable& table, const TableColumns& columns,
                                  const ColumnRole& role) {
  const std::string& chosen = columns.*role.chosen;
  if (!chosen.empty()) return chosen_column(table, role, chosen);
  std::optional<size_t> found;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& name = table.columns[i];
    const bool ignored =
        std::find(columns.ignored.begin(), columns.ignored.end(), name) != columns.ignored.end();
    if (ignored || !is_known(role, name)) continue;
    if (found)
      throw UserError(
          fmt::format("{}: columns '{}' and '{}' may both be the {}; {}", table.path.string(),
                      table.columns[*found], name, role.meaning, columns_text(table)),
          fmt::format("choose: --column.{} {}", role.option, table.columns[*found]));
    found = i;
  }
  return found;
}

size_t need_column(const CorpusTable& table, const TableColumns& columns, const ColumnRole& role) {
  if (const auto found = find_column(table, columns, role)) return *found;
  throw UserError(fmt::format("{} has no known column for the {}; {}", table.path.string(),
                              role.meaning, columns_text(table)),
                  fmt::format("name it: --column.{} NAME (or its number from 1)", role.option));
}

/// A column whose entries change what the audio is.
void refuse_unread_columns(const CorpusTable& table, const TableColumns& columns) {
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& name = table.columns[i];
    if (lower(name) != "wav_opts" ||
        std::find(columns.ignored.begin(), columns.ignored.end(), name) != columns.ignored.end())
      continue;
    for (const TableRow& row : table.rows)
      if (!row.fields[i].empty() && row.fault.empty())
        throw UserError(fmt::format("{}: '{}' in column '{}' is not understood", table.where(row),
                                    row.fields[i], name),
                        fmt::format("--column.ignored {} leaves it unread", name));
  }
}

}  // namespace

bool TableColumns::any_chosen() const {
  return !(audio + text + speaker + id + begin + end + seconds + channel).empty() ||
         !ignored.empty();
}

void TableColumns::declare(Options& options) {
  options.add("audio", audio, "column of the audio files");
  options.add("text", text, "column of the texts");
  options.add("speaker", speaker, "column of the speakers");
  options.add("id", id, "column of the ids; without one they are made of the file names");
  options.add("begin", begin, "column of where utterances begin in their files, in seconds");
  options.add("end", end, "column of where they end, in seconds");
  options.add("seconds", seconds, "column of their lengths, in seconds");
  options.add("channel", channel, "column of their channels, from 0");
  options.add("ignored", ignored, "columns that are not read, although their names are known");
}

void TableConfig::declare(Options& options) {
  options.add("delimiter", delimiter, "what separates the columns; auto: found in the first line");
  options.add("header", header, "whether the first line names the columns; auto: found");
  options.add("audio_folder", audio_folder,
              "folder that audio paths count from; empty: that of the table");
}

int count_known_columns(const std::vector<std::string>& names) {
  const auto any = [&](const ColumnRole& role) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return is_known(role, name); });
  };
  return int{any(audio_role)} + int{any(text_role)};
}

ColumnIndices find_columns(const CorpusTable& table, const TableColumns& columns) {
  for (const std::string& name : columns.ignored)
    if (std::find(table.columns.begin(), table.columns.end(), name) == table.columns.end())
      throw UserError(fmt::format("{} has no column '{}' (--column.ignored); {}",
                                  table.path.string(), name, columns_text(table)));
  refuse_unread_columns(table, columns);
  return {.audio = need_column(table, columns, audio_role),
          .text = need_column(table, columns, text_role),
          .speaker = find_column(table, columns, speaker_role),
          .id = find_column(table, columns, id_role),
          .begin = find_column(table, columns, begin_role),
          .end = find_column(table, columns, end_role),
          .seconds = find_column(table, columns, seconds_role),
          .channel = find_column(table, columns, channel_role)};
}

}  // namespace scion
