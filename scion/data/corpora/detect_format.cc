#include "scion/data/corpora/detect_format.h"

#include <fstream>

#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"
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
  if (extension == ".tar")
    throw UserError(file.string() + " is an archive", "unpack it and name the folder");
  const bool in_kaldi = fs::exists(file.parent_path() / "wav.scp");
  if (in_kaldi && (name == "wav.scp" || name == "segments" || name == "utt2spk" || name == "text"))
    throw UserError(file.string() + " is one file of a Kaldi data directory",
                    "name the folder that holds it");
  for (const char* scored : {".ctm", ".trn", ".rttm", ".glm"})
    if (extension == scored)
      throw UserError(fmt::format("{} has no audio: a {} is for scoring", file.string(), extension),
                      "name a manifest, a table, or a folder");
}

}  // namespace

CorpusFormat detect_file_format(const fs::path& file) {
  constexpr size_t head_size = size_t{1} << 16;
  const std::string name = file.filename().string();
  const std::string bytes = first_bytes(file, head_size);
  if (name.ends_with(".gz") || bytes.starts_with("\x1F\x8B")) return CorpusFormat::lhotse;
  if (has_lhotse_name(name)) return CorpusFormat::lhotse;
  refuse_known_files(file, bytes);
  std::string_view head = text_of_bytes(bytes, file);
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  const std::string_view line = head.substr(0, head.find('\n'));
  if (head.starts_with('{') || head.starts_with('[')) return json_format(line);
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

}  // namespace scion
