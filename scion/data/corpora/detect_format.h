// Recognises the format of a corpus.
#pragma once

#include <filesystem>

#include "scion/core/options.h"

namespace scion {

/// automatic: recognised by the files that are there, and by what they begin with.
enum class CorpusFormat { automatic, manifest, librispeech, kaldi, lhotse, common_voice, table };
template <>
inline constexpr std::array option_words<CorpusFormat>{
    "auto", "manifest", "librispeech", "kaldi", "lhotse", "common-voice", "table"};

/// The format of a file. UserError when it is none of them, naming what it seems to be.
CorpusFormat detect_file_format(const std::filesystem::path& file);

}  // namespace scion
