#include "scion/core/files/folder_walk.h"
#include "scion/data/corpora/layouts/corpus_sets.h"
#include "scion/data/corpora/layouts/layouts.h"
#include "scion/data/corpora/readers/audio_finder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

std::string lower_case(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return name;
}

bool is_phones_name(const std::string& name) { return lower_case(name).ends_with(".phn"); }

/// The sentence after the first and the last sample; nullopt when there are none.
std::optional<std::string> timit_sentence(const fs::path& path) {
  const std::string text = read_one_text(path);
  const size_t first = text.find(' ');
  const size_t second = first == std::string::npos ? first : text.find(' ', first + 1);
  if (second == std::string::npos ||
      text.substr(0, second).find_first_not_of("0123456789 ") != std::string::npos)
    return std::nullopt;
  return text.substr(second + 1);
}

/// One utterance, or why there is none.
void add_timit(const fs::path& phones, Corpus& corpus) {
  const fs::path stem = fs::path(phones).replace_extension();
  const std::string speaker = stem.parent_path().filename().string();
  const std::string id = speaker + "_" + stem.filename().string();
  const fs::path audio = file_with_ending(stem, {".WAV", ".wav", ".WAV.wav", ".flac", ".sph"});
  const fs::path text = file_with_ending(stem, {".TXT", ".txt"});
  if (audio.empty()) return corpus.skipped.push_back({id, "no .WAV beside its .PHN"});
  if (text.empty()) return corpus.skipped.push_back({id, "no .TXT beside its .PHN"});
  if (const auto sentence = timit_sentence(text))
    corpus.utterances.push_back({.id = id, .audio = audio, .text = *sentence, .speaker = speaker});
  else
    corpus.skipped.push_back({id, "its .TXT has no first sample, last sample and sentence",
                              "a .TXT of TIMIT is: 0 46797 She had your dark suit …"});
}

}  // namespace

bool is_timit(const fs::path& folder) { return has_file_under(folder, is_phones_name); }

Corpus read_timit(const fs::path& folder) {
  refuse_several_sets(folder, [](const fs::path& entry) {
    const std::string name = lower_case(entry.filename().string());
    return (name == "train" || name == "test") && is_timit(entry);
  });
  Corpus corpus;
  for (const fs::path& phones : files_under(folder, is_phones_name)) add_timit(phones, corpus);
  check_not_empty(corpus, folder, "name TIMIT/TRAIN or TIMIT/TEST");
  return corpus;
}

}  // namespace scion
