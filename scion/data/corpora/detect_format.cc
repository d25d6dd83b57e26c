#include "scion/data/corpora/detect_format.h"

#include <fmt/ranges.h>

#include <fstream>

#include "scion/core/error.h"
#include "scion/core/files/folder_walk.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/layouts/archives.h"
#include "scion/data/corpora/layouts/layouts.h"
#include "scion/data/corpora/readers/audio_finder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

std::string first_bytes(const fs::path& file, size_t count) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw UserError("cannot read " + file.string(), "is it readable?");
  std::string bytes(count, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(count));
  bytes.resize(static_cast<size_t>(stream.gcount()));
  return bytes;
}

bool holds_all(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::all_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

bool holds_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return text.find(part) != std::string_view::npos;
  });
}

bool has_lhotse_name(const std::string& name) {
  return holds_any(name, {".jsonl"}) && holds_any(name, {"cuts", "supervisions", "recordings"});
}

/// JSON: by the keys of the first line.
CorpusFormat json_format(std::string_view line) {
  if (holds_any(line, {"\"audio_filepath\""})) return CorpusFormat::manifest;
  if (holds_any(line, {"\"recording\"", "\"supervisions\"", "\"recording_id\"", "\"sources\""}))
    return CorpusFormat::lhotse;
  if (holds_all(line, {"\"dataset\"", "GigaSpeech"})) return CorpusFormat::gigaspeech;
  return CorpusFormat::table;
}

/// Files that users name instead of a corpus.
void refuse_known_files(const fs::path& file, std::string_view head) {
  const std::string name = file.filename().string(), extension = file.extension().string();
  if (is_audio_name(file) || head.starts_with("RIFF") || head.starts_with("fLaC"))
    throw UserError(file.string() + " is an audio file, not a corpus",
                    "name a manifest, a table, or a folder; transcribe takes audio files");
  if (head.starts_with("PAR1"))
    throw UserError(file.string() + " is a Parquet file, which is not read",
                    "write the audio to files beside a metadata.csv with file_name and text");
  const bool in_kaldi = fs::exists(file.parent_path() / "wav.scp");
  if (in_kaldi && (name == "wav.scp" || name == "segments" || name == "utt2spk" || name == "text"))
    throw UserError(file.string() + " is one file of a Kaldi data directory",
                    "name the folder that holds it");
  for (const char* scored : {".ctm", ".trn", ".rttm", ".glm"})
    if (extension == scored)
      throw UserError(fmt::format("{} has no audio: a {} is for scoring", file.string(), extension),
                      "name a manifest, a table, or a folder");
}

CorpusFormat detect_file_format(const fs::path& file) {
  constexpr size_t head_size = size_t{1} << 16;
  const std::string name = file.filename().string();
  const std::string bytes = first_bytes(file, head_size);
  if (name.ends_with(".tar.gz") || name.ends_with(".tgz") || name.ends_with(".zip"))
    throw UserError(file.string() + " is an archive", "unpack it and name the folder");
  if (name.ends_with(".tar")) return CorpusFormat::shards;
  if (name.ends_with(".gz") || bytes.starts_with("\x1F\x8B")) return CorpusFormat::lhotse;
  if (has_lhotse_name(name)) return CorpusFormat::lhotse;
  refuse_known_files(file, bytes);
  if (name.ends_with(".stm")) return CorpusFormat::stm;
  if (name == "GigaSpeech.json") return CorpusFormat::gigaspeech;
  std::string_view head = text_of_bytes(bytes, file);
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  const std::string_view line = head.substr(0, head.find('\n'));
  if (line.substr(0, line.find_last_not_of(" \t\r") + 1).ends_with(".tar"))
    return CorpusFormat::shards;
  if (head.starts_with('[')) return CorpusFormat::table;
  if (head.starts_with('{')) return json_format(line);
  if (line.find('\t') != std::string_view::npos && holds_all(line, {"client_id"}) &&
      holds_any(line, {"path", "sentence"}))
    return CorpusFormat::common_voice;
  if (line.find_first_of("\t,|;") != std::string_view::npos) return CorpusFormat::table;
  throw UserError(
      fmt::format("{} is no corpus: it begins with neither JSON nor a row of columns",
                  file.string()),
      "a corpus is a manifest (JSON lines), a table (columns between commas, tabs or |), cuts of "
      "Lhotse, or a folder");
}

/// Whether the folder itself holds a file with such a name.
bool holds(const fs::path& folder, const NameTest& wanted) {
  const std::vector<fs::path> entries = entries_of(folder);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const fs::path& entry) { return wanted(entry.filename().string()); });
}

bool is_transcript_name(const std::string& name) { return name.ends_with(".trans.txt"); }

/// What in a folder, or in the folders in it, may be a corpus: tables and Kaldi's directories.
std::vector<std::string> possible_corpora(const fs::path& folder) {
  std::vector<std::string> found;
  const auto look_at = [&](const fs::path& entry) {
    const std::string extension = entry.extension().string();
    const bool table = extension == ".csv" || extension == ".tsv" || extension == ".jsonl";
    std::error_code not_there;
    if (fs::exists(entry / "wav.scp", not_there) ||
        (table && fs::is_regular_file(entry, not_there)))
      found.push_back(entry.string());
  };
  for (const fs::path& entry : entries_of(folder)) {
    look_at(entry);
    std::error_code not_listed;
    for (const auto& inner : fs::directory_iterator(entry, not_listed)) look_at(inner.path());
  }
  return found;
}

/// "a, b and 3 more".
std::string some_of(std::vector<std::string> names) {
  constexpr size_t most = 4;
  std::sort(names.begin(), names.end());
  const size_t more = names.size() > most ? names.size() - most : 0;
  names.resize(names.size() - more);
  const std::string text = fmt::format("{}", fmt::join(names, ", "));
  return more > 0 ? fmt::format("{} and {} more", text, more) : text;
}

[[noreturn]] void refuse_folder(const fs::path& folder) {
  const std::vector<std::string> possible = possible_corpora(folder);
  if (!possible.empty())
    throw UserError("no corpus in " + folder.string(), "name one of: " + some_of(possible));
  throw UserError(
      "no corpus in " + folder.string(),
      "looked for wav.scp (Kaldi), metadata.csv and .jsonl (tables), *cuts*.jsonl, "
      "*recordings*.jsonl and *supervisions*.jsonl (Lhotse), *.trans.txt (LibriSpeech), "
      "transcripts.txt (MLS), *.stm, the folders of AISHELL, VCTK and TIMIT, and a.txt beside "
      "a.wav; name a table by its file, e.g. train.tsv");
}

/// Layouts are asked for in this order: first those that a few names tell apart, then those for
/// which the whole tree is looked through.
CorpusFormat detect_folder_format(const fs::path& folder) {
  if (fs::exists(folder / "wav.scp")) return CorpusFormat::kaldi;
  if (!metadata_table(folder).empty()) return CorpusFormat::table;
  if (is_lhotse_shar(folder)) return CorpusFormat::lhotse_shar;
  if (holds(folder, has_lhotse_name)) return CorpusFormat::lhotse;
  if (fs::exists(folder / "GigaSpeech.json")) return CorpusFormat::gigaspeech;
  if (is_mls(folder)) return CorpusFormat::mls;
  if (is_vctk(folder)) return CorpusFormat::vctk;
  if (is_stm(folder)) return CorpusFormat::stm;
  if (is_aishell(folder)) return CorpusFormat::aishell;
  if (has_file_under(folder, is_transcript_name)) return CorpusFormat::librispeech;
  if (is_timit(folder)) return CorpusFormat::timit;
  if (is_audio_with_texts(folder)) return CorpusFormat::audio_with_texts;
  refuse_folder(folder);
}

}  // namespace

fs::path metadata_table(const fs::path& folder) {
  for (const char* name : {"metadata.csv", "metadata.jsonl"})
    if (fs::exists(folder / name)) return folder / name;
  return "";
}

CorpusFormat detect_format(const fs::path& source) {
  if (!fs::exists(source))
    throw UserError("no such file or folder: " + source.string(),
                    "name a corpus: a manifest, a table, or a folder");
  return fs::is_directory(source) ? detect_folder_format(source) : detect_file_format(source);
}

}  // namespace scion
