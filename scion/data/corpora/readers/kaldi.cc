#include <sstream>

#include "scion/core/error.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/readers/kaldi_pipe.h"
#include "scion/data/corpora/readers/readers.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// A line of one of Kaldi's tables: a key, then the rest.
struct KaldiLine {
  std::string key, rest, where;

  std::vector<std::string> fields() const {
    std::istringstream words(rest);
    return {std::istream_iterator<std::string>(words), {}};
  }
};

/// The lines of a table. Of lines with one key the first counts.
std::vector<KaldiLine> read_kaldi_table(const fs::path& path, std::vector<Skipped>& skipped) {
  std::vector<KaldiLine> table;
  std::unordered_map<std::string, size_t> first_lines;
  TextLines lines(path);
  for (std::string line; lines.next(line);) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    const size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos) continue;
    const size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    const size_t rest = std::min(line.find_first_not_of(" \t", end), line.size());
    KaldiLine entry{line.substr(begin, end - begin), line.substr(rest), lines.where()};
    const auto [first, is_new] = first_lines.emplace(entry.key, lines.number());
    if (is_new)
      table.push_back(std::move(entry));
    else
      skipped.push_back({entry.key,
                         fmt::format("a duplicate in {}: line {}, first in line {}",
                                     path.filename().string(), lines.number(), first->second),
                         "a table has every key once; utils/fix_data_dir.sh fixes that"});
  }
  return table;
}

std::unordered_map<std::string, KaldiLine> read_kaldi_map(const fs::path& path,
                                                          std::vector<Skipped>& skipped) {
  std::unordered_map<std::string, KaldiLine> map;
  std::error_code not_there;
  if (!fs::exists(path, not_there)) return map;
  for (KaldiLine& line : read_kaldi_table(path, skipped)) map.emplace(line.key, std::move(line));
  return map;
}

/// Speakers by utterance: two columns.
std::unordered_map<std::string, std::string> read_speakers(const fs::path& path,
                                                           std::vector<Skipped>& skipped) {
  std::unordered_map<std::string, std::string> speakers;
  for (const auto& [id, line] : read_kaldi_map(path, skipped)) {
    if (line.fields().size() > 1)
      throw UserError(
          fmt::format("{}: {} columns after '{}'", line.where, line.fields().size(), id),
          "a line of utt2spk is: utterance speaker");
    speakers.emplace(id, line.rest);
  }
  return speakers;
}

/// Channels of recordings by reco2file_and_channel, whose sides are A and B, or 1 and 2.
std::unordered_map<std::string, int64_t> read_sides(const fs::path& path,
                                                    std::vector<Skipped>& skipped) {
  std::unordered_map<std::string, int64_t> sides;
  for (const auto& [recording, line] : read_kaldi_map(path, skipped)) {
    const std::vector<std::string> fields = line.fields();
    const std::string side = fields.size() == 2 ? fields[1] : "";
    if (side != "A" && side != "B" && side != "1" && side != "2")
      throw UserError(fmt::format("{}: no channel A, B, 1 or 2", line.where),
                      "a line of reco2file_and_channel is: recording file channel");
    sides.emplace(recording, side == "A" || side == "1" ? 0 : 1);
  }
  return sides;
}

struct KaldiRecording {
  fs::path audio;
  int64_t channel = -1;
  std::string fault, hint;  ///< why there is no file to read
};

KaldiRecording find_recording(const KaldiLine& line, const fs::path& directory) {
  if (line.rest.empty())
    return {.fault = "no path for it in wav.scp", .hint = "a line of wav.scp is: recording path"};
  if (line.rest.ends_with("|")) {
    const std::optional<PipedFile> file = piped_file(line.rest);
    if (file) return {.audio = find_beside(file->path, directory), .channel = file->channel};
    return {.fault = "its audio comes from a command: " + line.rest,
            .hint =
                "scion runs no commands from data; Kaldi writes the files once: mkdir wavs; "
                "awk '{print $1, \"wavs/\" $1 \".wav\"}' wav.scp > files.scp; "
                "wav-copy scp:wav.scp scp:files.scp; then files.scp takes the place of wav.scp"};
  }
  const size_t colon = line.rest.rfind(':');
  const bool in_archive =
      line.rest.ends_with(".ark") ||
      (colon != std::string::npos && colon + 1 < line.rest.size() &&
       line.rest.find_first_not_of("0123456789", colon + 1) == std::string::npos);
  if (in_archive)
    return {.fault = "its audio lies in an archive: " + line.rest,
            .hint = "write every recording to its own file (wav-copy)"};
  return {.audio = find_beside(line.rest, directory)};
}

using KaldiRecordings = std::unordered_map<std::string, KaldiRecording>;

/// In the order of wav.scp, into `order`.
KaldiRecordings read_recordings(const fs::path& directory, std::vector<std::string>& order,
                                std::vector<Skipped>& skipped) {
  KaldiRecordings recordings;
  std::unordered_map<std::string, size_t> users;
  for (const KaldiLine& line : read_kaldi_table(directory / "wav.scp", skipped)) {
    const auto added = recordings.emplace(line.key, find_recording(line, directory)).first;
    ++users[added->second.audio.string()];
    order.push_back(line.key);
  }
  // Where the sides of a call share a file; a file of its own already is one side.
  for (const auto& [name, channel] : read_sides(directory / "reco2file_and_channel", skipped)) {
    const auto found = recordings.find(name);
    if (found != recordings.end() && users[found->second.audio.string()] > 1)
      found->second.channel = channel;
  }
  return recordings;
}

std::optional<double> kaldi_seconds(const std::string& text) {
  try {
    size_t used = 0;
    const double seconds = std::stod(text, &used);
    if (used == text.size() && std::isfinite(seconds)) return seconds;
  } catch (const std::logic_error&) {  // not a number, or too big
  }
  return std::nullopt;
}

/// The fifth column of segments, as in extract-segments: a number from 0.
int64_t segment_channel(const KaldiLine& line, const std::string& text) {
  if (text.empty() || text.size() > 4 || text.find_first_not_of("0123456789") != std::string::npos)
    throw UserError(fmt::format("{}: the channel is '{}'", line.where, text),
                    "a line of segments is: utterance recording begin end [channel, from 0]");
  return std::stoll(text);
}

/// Fills in the part of the recording that a line of segments describes; returns what is wrong.
Skipped place_segment(const KaldiLine& line, const std::vector<std::string>& fields,
                      AudioPart& part) {
  constexpr auto hint = "a line of segments is: utterance recording begin end, in seconds";
  const std::optional<double> begin = kaldi_seconds(fields[1]), end = kaldi_seconds(fields[2]);
  if (!begin || !end)
    return {line.key, fmt::format("'{}' is no time", begin ? fields[2] : fields[1]), hint};
  if (*begin < 0)
    return {line.key, fmt::format("a segment that begins at {} s", fields[1]),
            "a segment begins at 0 or later: mend the times"};
  if (*end != -1 && *end <= *begin)
    return {line.key, fmt::format("a segment from {} s to {} s", fields[1], fields[2]),
            "its end must come after its beginning"};
  part.begin_seconds = *begin;
  if (*end != -1) part.seconds = *end - *begin;  // −1: up to the end
  // Of a recording that is one channel of its file, channel 0 is that one.
  const int64_t channel = fields.size() == 4 ? segment_channel(line, fields[3]) : -1;
  if (channel > 0 && part.channel >= 0)
    return {line.key, fmt::format("channel {} of a recording of one channel", channel), hint};
  if (part.channel < 0) part.channel = channel;
  return {};
}

std::vector<Utterance> read_segments(const fs::path& directory, const KaldiRecordings& recordings,
                                     std::vector<Skipped>& skipped) {
  std::vector<Utterance> utterances;
  for (const KaldiLine& line : read_kaldi_table(directory / "segments", skipped)) {
    const std::vector<std::string> fields = line.fields();
    if (fields.size() > 4)
      throw UserError(fmt::format("{}: {} columns", line.where, fields.size() + 1),
                      "a line of segments is: utterance recording begin end [channel, from 0]");
    if (fields.size() < 3) {
      skipped.push_back({line.key, "fields are missing in segments",
                         "a line of segments is: utterance recording begin end"});
      continue;
    }
    const auto found = recordings.find(fields[0]);
    if (found == recordings.end()) {
      skipped.push_back({line.key, fmt::format("recording '{}' is not in wav.scp", fields[0])});
      continue;
    }
    const KaldiRecording& recording = found->second;
    Utterance utterance{.id = line.key, .audio = recording.audio, .text = ""};
    utterance.part.channel = recording.channel;
    Skipped fault = place_segment(line, fields, utterance.part);
    if (fault.reason.empty()) fault = {line.key, recording.fault, recording.hint};
    utterance.seconds = utterance.part.seconds;
    if (fault.reason.empty())
      utterances.push_back(std::move(utterance));
    else
      skipped.push_back(std::move(fault));
  }
  return utterances;
}

/// The recordings as utterances, or the parts of them that `segments` names. Text is filled in
/// later.
std::vector<Utterance> kaldi_utterances(const fs::path& directory, std::vector<Skipped>& skipped) {
  std::vector<std::string> order;
  const KaldiRecordings recordings = read_recordings(directory, order, skipped);
  std::error_code not_there;
  if (fs::exists(directory / "segments", not_there))
    return read_segments(directory, recordings, skipped);
  std::vector<Utterance> utterances;
  for (const std::string& name : order) {
    const KaldiRecording& recording = recordings.at(name);
    if (!recording.fault.empty()) {
      skipped.push_back({name, recording.fault, recording.hint});
      continue;
    }
    utterances.push_back({.id = name, .audio = recording.audio, .text = ""});
    utterances.back().part.channel = recording.channel;
  }
  return utterances;
}

}  // namespace

Corpus read_kaldi(const fs::path& directory) {
  std::error_code not_there;
  for (const char* name : {"wav.scp", "text"})
    if (!fs::exists(directory / name, not_there))
      throw UserError(fmt::format("{} has no file '{}'", directory.string(), name),
                      "a Kaldi data directory has wav.scp and text");
  Corpus corpus;
  auto texts = read_kaldi_map(directory / "text", corpus.skipped);
  const auto speakers = read_speakers(directory / "utt2spk", corpus.skipped);
  for (Utterance& utterance : kaldi_utterances(directory, corpus.skipped)) {
    const auto text = texts.extract(utterance.id);
    if (text.empty()) {
      corpus.skipped.push_back({utterance.id, "it is not in 'text'"});
      continue;
    }
    utterance.text = text.mapped().rest;
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
