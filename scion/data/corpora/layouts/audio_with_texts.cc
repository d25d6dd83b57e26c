#include "scion/core/error.h"
#include "scion/core/files/folder_walk.h"
#include "scion/data/corpora/layouts/corpus_sets.h"
#include "scion/data/corpora/layouts/layouts.h"
#include "scion/data/corpora/readers/audio_finder.h"
#include "scion/data/manifest/default_ids.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

constexpr auto libritts_ending = ".normalized.txt";

/// The text of the same name beside an audio file; empty: there is none.
fs::path text_beside(const fs::path& audio) {
  return file_with_ending(fs::path(audio).replace_extension(),
                          {libritts_ending, ".txt", ".lab", ".TXT"});
}

}  // namespace

bool is_audio_with_texts(const fs::path& folder) {
  const std::vector<fs::path> audio = files_under(folder, is_audio_name);
  return std::any_of(audio.begin(), audio.end(),
                     [](const fs::path& file) { return !text_beside(file).empty(); });
}

Corpus read_audio_with_texts(const fs::path& folder) {
  Corpus corpus;
  for (const fs::path& audio : files_under(folder, is_audio_name)) {
    const fs::path text = text_beside(audio);
    if (text.empty()) {
      corpus.skipped.push_back(
          {audio.lexically_relative(folder).string(), "no text of the same name beside it"});
      continue;
    }
    Utterance utterance{.id = "", .audio = audio, .text = read_one_text(text)};
    const std::string stem = audio.stem().string();
    if (text.string().ends_with(libritts_ending))
      utterance.speaker = stem.substr(0, stem.find('_'));
    corpus.utterances.push_back(std::move(utterance));
  }
  fill_default_ids(corpus.utterances);
  check_not_empty(corpus, folder, "put the text of a.wav into a.txt beside it");
  return corpus;
}

}  // namespace scion
