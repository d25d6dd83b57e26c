// Recognises the format of a corpus.
#pragma once

#include <filesystem>

#include "scion/core/options.h"

namespace scion {

/// automatic: recognised by the files that are there, and by what they begin with.
enum class CorpusFormat {
  automatic,
  manifest,
  librispeech,
  kaldi,
  lhotse,
  common_voice,
  table,
  stm,
  aishell,
  mls,
  vctk,
  timit,
  gigaspeech,
  shards,
  lhotse_shar,
  audio_with_texts
};
template <>
inline constexpr std::array option_words<CorpusFormat>{
    "auto",       "manifest", "librispeech", "kaldi", "lhotse", "common-voice",
    "table",      "stm",      "aishell",     "mls",   "vctk",   "timit",
    "gigaspeech", "shards",   "lhotse-shar", "texts"};

/// The format of a file or folder. UserError when it is none of them: what a file seems to be, or
/// which files of a folder were looked for.
CorpusFormat detect_format(const std::filesystem::path& source);

/// The table in a folder of audio (metadata.csv or metadata.jsonl: Hugging Face's audiofolder,
/// LJSpeech); empty: there is none.
std::filesystem::path metadata_table(const std::filesystem::path& folder);

}  // namespace scion
