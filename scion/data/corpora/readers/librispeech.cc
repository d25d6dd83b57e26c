#include <sstream>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/data/corpora/readers/readers.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// The transcript files of a LibriSpeech tree, sorted.
std::vector<fs::path> transcript_files(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::recursive_directory_iterator(directory, fs::directory_options::follow_directory_symlink))
    if (entry.path().filename().string().ends_with(".trans.txt")) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

fs::path find_audio(const fs::path& folder, const std::string& id) {
  for (const char* extension : {".flac", ".opus", ".wav"}) {
    fs::path candidate = folder / (id + extension);
    std::error_code too_long;
    if (fs::exists(candidate, too_long)) return candidate;
  }
  return folder / (id + ".flac");  // a missing file is reported when it is read
}

}  // namespace

Corpus read_librispeech(const fs::path& directory) {
  if (!fs::is_directory(directory))
    throw UserError("no such folder: " + directory.string(), "name the root of a LibriSpeech tree");
  std::vector<Utterance> utterances;
  for (const fs::path& transcript : transcript_files(directory)) {
    std::istringstream lines(read_file(transcript));
    std::string line;
    for (size_t number = 1; std::getline(lines, line); ++number) {
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      const size_t space = line.find(' ');
      Utterance utterance;
      utterance.id = line.substr(0, space);
      if (space != std::string::npos) utterance.text = line.substr(space + 1);
      utterance.text.erase(utterance.text.find_last_not_of(" \t\r") + 1);
      utterance.speaker = utterance.id.substr(0, utterance.id.find('-'));
      utterance.audio = find_audio(transcript.parent_path(), utterance.id);
      utterances.push_back(std::move(utterance));
    }
  }
  if (utterances.empty())
    throw UserError("no transcript (*.trans.txt) under " + directory.string(),
                    "name the root of a LibriSpeech tree: speaker/chapter/*.trans.txt");
  std::sort(utterances.begin(), utterances.end(),
            [](const Utterance& a, const Utterance& b) { return a.id < b.id; });
  for (size_t i = 1; i < utterances.size(); ++i)
    if (utterances[i].id == utterances[i - 1].id)
      throw UserError(fmt::format("utterance '{}' is in two transcripts under {}", utterances[i].id,
                                  directory.string()),
                      "name a folder that holds it once");
  return {std::move(utterances), {}};
}

}  // namespace scion
