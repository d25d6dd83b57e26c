#include "scion/core/error.h"
#include "scion/core/files/folder_walk.h"
#include "scion/data/corpora/layouts/corpus_sets.h"
#include "scion/data/corpora/layouts/layouts.h"
#include "scion/data/corpora/readers/audio_finder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

/// The folder of audio; empty: there is none.
fs::path vctk_audio(const fs::path& folder) {
  for (const char* name : {"wav48_silence_trimmed", "wav48"})
    if (fs::is_directory(folder / name)) return folder / name;
  return "";
}

/// The recording of an utterance; empty: there is none.
fs::path vctk_recording(const fs::path& folder, const std::string& id) {
  return file_with_ending(folder / id,
                          {"_mic1.flac", ".wav", ".flac", "_mic1.wav", "_mic2.flac", "_mic2.wav"});
}

bool is_text_name(const std::string& name) { return name.ends_with(".txt"); }

}  // namespace

bool is_vctk(const fs::path& folder) {
  return fs::is_directory(folder / "txt") && !vctk_audio(folder).empty();
}

Corpus read_vctk(const fs::path& folder) {
  if (!is_vctk(folder))
    throw UserError(folder.string() + " has no txt beside wav48_silence_trimmed or wav48",
                    "name the root of VCTK");
  Corpus corpus;
  for (const fs::path& text : files_under(folder / "txt", is_text_name)) {
    const std::string id = text.stem().string();
    const std::string speaker = text.parent_path().filename().string();
    const fs::path audio = vctk_recording(vctk_audio(folder) / speaker, id);
    if (audio.empty())
      corpus.skipped.push_back({id, "it has a text and no audio"});
    else
      corpus.utterances.push_back(
          {.id = id, .audio = audio, .text = read_one_text(text), .speaker = speaker});
  }
  check_not_empty(corpus, folder, "name the root of VCTK");
  return corpus;
}

}  // namespace scion
