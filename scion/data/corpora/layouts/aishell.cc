#include "scion/core/error.h"
#include "scion/core/files/folder_walk.h"
#include "scion/core/files/text_lines.h"
#include "scion/data/corpora/layouts/corpus_sets.h"
#include "scion/data/corpora/layouts/layouts.h"
#include "scion/data/corpora/readers/audio_finder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// The transcript of the corpus that `folder` is, or is a part of; empty: there is none.
fs::path aishell_transcript(const fs::path& folder) {
  constexpr int levels = 4;  // the root, wav, a set, a speaker
  fs::path root = fs::weakly_canonical(folder);
  for (int level = 0; level < levels; ++level, root = root.parent_path()) {
    if (!fs::is_directory(root / "transcript") || !fs::is_directory(root / "wav")) continue;
    for (const fs::path& entry : entries_of(root / "transcript"))
      if (entry.filename().string().starts_with("aishell_transcript")) return entry;
  }
  return "";
}

std::unordered_map<std::string, std::string> read_texts_by_id(const fs::path& path) {
  std::unordered_map<std::string, std::string> texts;
  TextLines lines(path);
  for (std::string line; lines.next(line);) {
    const size_t end = std::min(line.find_first_of(" \t"), line.size());
    const size_t begin = std::min(line.find_first_not_of(" \t", end), line.size());
    if (end == 0) continue;
    texts.emplace(line.substr(0, end), line.substr(begin));
  }
  return texts;
}

bool has_aishell_audio(const fs::path& folder) { return has_file_under(folder, is_audio_name); }

}  // namespace

bool is_aishell(const fs::path& folder) { return !aishell_transcript(folder).empty(); }

Corpus read_aishell(const fs::path& folder) {
  const fs::path transcript = aishell_transcript(folder);
  if (transcript.empty())
    throw UserError("no transcript/aishell_transcript_*.txt in or above " + folder.string(),
                    "name data_aishell/wav/train");
  const fs::path audio = fs::is_directory(folder / "wav") ? folder / "wav" : folder;
  if (audio.filename() == "wav") refuse_several_sets(audio, has_aishell_audio);
  auto texts = read_texts_by_id(transcript);
  Corpus corpus;
  for (const fs::path& file : files_under(audio, is_audio_name)) {
    const std::string id = file.stem().string();
    const auto text = texts.find(id);
    if (text == texts.end())
      corpus.skipped.push_back({id, "it has no transcript"});
    else
      corpus.utterances.push_back({.id = id,
                                   .audio = file,
                                   .text = text->second,
                                   .speaker = file.parent_path().filename().string()});
  }
  check_not_empty(corpus, folder,
                  "unpack the archives in wav: for f in *.tar.gz; do tar xf $f; done");
  return corpus;
}

}  // namespace scion
