#include "scion/core/error.h"
#include "scion/core/files/folder_walk.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/readers/audio_finder.h"
#include "scion/data/corpora/readers/readers.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

fs::path find_audio(const fs::path& folder, const std::string& id) {
  const fs::path found = file_with_ending(folder / id, {".flac", ".opus", ".wav"});
  // A missing file is reported when it is read.
  return found.empty() ? folder / (id + ".flac") : found;
}

/// An id, white space, the text.
Utterance transcribed(std::string_view line, const fs::path& folder) {
  line = strip(line);
  const size_t space = std::min(line.find_first_of(" \t"), line.size());
  Utterance utterance;
  utterance.id = line.substr(0, space);
  utterance.text = strip(line.substr(space));
  utterance.speaker = utterance.id.substr(0, utterance.id.find('-'));
  utterance.audio = find_audio(folder, utterance.id);
  return utterance;
}

}  // namespace

Corpus read_librispeech(const fs::path& directory) {
  std::error_code not_there;
  if (!fs::is_directory(directory, not_there))
    throw UserError("no such folder: " + directory.string(), "name the root of a LibriSpeech tree");
  std::vector<Utterance> utterances;
  for (const fs::path& transcript : files_under(
           directory, [](const std::string& name) { return name.ends_with(".trans.txt"); })) {
    TextLines lines(transcript);
    for (std::string line; lines.next(line);)
      if (!strip(line).empty()) utterances.push_back(transcribed(line, transcript.parent_path()));
  }
  if (utterances.empty())
    throw UserError("no transcript (*.trans.txt) under " + directory.string(),
                    "name the root of a LibriSpeech tree: speaker/chapter/*.trans.txt");
  std::stable_sort(utterances.begin(), utterances.end(),
                   [](const Utterance& a, const Utterance& b) { return a.id < b.id; });
  return {std::move(utterances), {}};
}

}  // namespace scion
