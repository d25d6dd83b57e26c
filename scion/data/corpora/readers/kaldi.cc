#include <sstream>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/data/corpora/readers/readers.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// A line of one of Kaldi's tables: a key, then the rest.
struct KaldiLine {
  std::string key, rest, where;
};

std::vector<KaldiLine> read_kaldi_table(const fs::path& path) {
  std::istringstream lines(read_file(path));
  std::vector<KaldiLine> table;
  std::unordered_map<std::string, size_t> first_lines;
  std::string line;
  for (size_t number = 1; std::getline(lines, line); ++number) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos) continue;
    const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    const size_t rest = std::min(line.find_first_not_of(" \t", end), line.size());
    const std::string where = fmt::format("{}:{}", path.string(), number);
    table.push_back({line.substr(begin, end - begin), line.substr(rest), where});
    const auto [first, is_new] = first_lines.emplace(table.back().key, number);
    if (!is_new)
      throw UserError(fmt::format("{}: duplicate '{}' (first used in line {})", where,
                                  table.back().key, first->second),
                      "a table has every key once; utils/fix_data_dir.sh fixes that");
  }
  return table;
}

std::unordered_map<std::string, std::string> read_kaldi_map(const fs::path& path) {
  std::unordered_map<std::string, std::string> map;
  if (!fs::exists(path)) return map;
  for (KaldiLine& line : read_kaldi_table(path)) map.emplace(line.key, std::move(line.rest));
  return map;
}

fs::path recording_path(const KaldiLine& line, const fs::path& directory) {
  if (line.rest.empty())
    throw UserError(fmt::format("{}: no path for '{}'", line.where, line.key),
                    "a line of wav.scp is: recording path");
  if (line.rest.ends_with("|"))
    throw UserError(fmt::format("{}: the audio of '{}' comes from a command: {}", line.where,
                                line.key, line.rest),
                    "run the command once for every line and name the files: scion runs no "
                    "commands from data");
  const size_t colon = line.rest.rfind(':');
  const bool in_archive =
      line.rest.ends_with(".ark") ||
      (colon != std::string::npos && colon + 1 < line.rest.size() &&
       line.rest.find_first_not_of("0123456789", colon + 1) == std::string::npos);
  if (in_archive)
    throw UserError(fmt::format("{}: the audio of '{}' lies in an archive: {}", line.where,
                                line.key, line.rest),
                    "write every recording to its own file (wav-copy)");
  return find_beside(line.rest, directory);
}

double kaldi_seconds(const std::string& text, const KaldiLine& line) {
  try {
    size_t used = 0;
    const double seconds = std::stod(text, &used);
    if (used == text.size() && std::isfinite(seconds)) return seconds;
  } catch (const std::logic_error&) {  // not a number, or too big: said below
  }
  throw UserError(fmt::format("{}: '{}' is no time", line.where, text),
                  "a line of segments is: utterance recording begin end, in seconds");
}

/// The recordings as utterances, or the parts of them that `segments` names. Text is filled in
/// later.
std::vector<Utterance> kaldi_utterances(const fs::path& directory, std::vector<Skipped>& skipped) {
  std::unordered_map<std::string, fs::path> recordings;
  std::vector<Utterance> utterances;
  const bool segmented = fs::exists(directory / "segments");
  for (const KaldiLine& line : read_kaldi_table(directory / "wav.scp")) {
    const fs::path audio = recording_path(line, directory);
    recordings.emplace(line.key, audio);
    if (!segmented) utterances.push_back({.id = line.key, .audio = audio, .text = ""});
  }
  if (!segmented) return utterances;
  for (const KaldiLine& line : read_kaldi_table(directory / "segments")) {
    std::istringstream fields(line.rest);
    std::string recording, begin, end;
    if (!(fields >> recording >> begin >> end))
      throw UserError(fmt::format("{}: fields are missing", line.where),
                      "a line of segments is: utterance recording begin end");
    const auto found = recordings.find(recording);
    if (found == recordings.end()) {
      skipped.push_back({line.key, fmt::format("recording '{}' is not in wav.scp", recording)});
      continue;
    }
    Utterance utterance{.id = line.key, .audio = found->second, .text = ""};
    utterance.part.begin_seconds = kaldi_seconds(begin, line);
    const double until = kaldi_seconds(end, line);  // −1: up to the end
    if (utterance.part.begin_seconds < 0 || (until != -1 && until <= utterance.part.begin_seconds))
      throw UserError(fmt::format("{}: a segment from {} s to {} s", line.where, begin, end),
                      "its end must come after its beginning");
    if (until != -1) utterance.part.seconds = until - utterance.part.begin_seconds;
    utterance.seconds = utterance.part.seconds;
    utterances.push_back(std::move(utterance));
  }
  return utterances;
}

}  // namespace

Corpus read_kaldi(const fs::path& directory) {
  for (const char* name : {"wav.scp", "text"})
    if (!fs::exists(directory / name))
      throw UserError(fmt::format("{} has no file '{}'", directory.string(), name),
                      "a Kaldi data directory has wav.scp and text");
  Corpus corpus;
  auto texts = read_kaldi_map(directory / "text");
  const auto speakers = read_kaldi_map(directory / "utt2spk");
  for (Utterance& utterance : kaldi_utterances(directory, corpus.skipped)) {
    const auto text = texts.extract(utterance.id);
    if (text.empty()) {
      corpus.skipped.push_back({utterance.id, "it is not in 'text'"});
      continue;
    }
    utterance.text = text.mapped();
    const auto speaker = speakers.find(utterance.id);
    if (speaker != speakers.end()) utterance.speaker = speaker->second;
    corpus.utterances.push_back(std::move(utterance));
  }
  // The remaining texts have no audio, unless a segment of them was skipped above.
  for (const Skipped& one : corpus.skipped) texts.erase(one.id);
  std::vector<std::string> left;
  for (const auto& [id, text] : texts) left.push_back(id);
  std::sort(left.begin(), left.end());
  for (std::string& id : left)
    corpus.skipped.push_back({std::move(id), "it is in 'text', and has no audio"});
  return corpus;
}

}  // namespace scion
