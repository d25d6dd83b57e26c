// Corpora: read by the reader of their format.
#pragma once

#include <filesystem>

#include "scion/core/options.h"
#include "scion/data/corpora/readers/readers.h"

namespace scion {

/// automatic: recognised by the files that are there.
enum class CorpusFormat { automatic, manifest, librispeech, kaldi, lhotse, common_voice };
template <>
inline constexpr std::array option_words<CorpusFormat>{"auto",  "manifest", "librispeech",
                                                       "kaldi", "lhotse",   "common-voice"};

/// Reads a corpus. UserError when its format is not recognised (with the files that were looked
/// for), and on errors of its reader.
Corpus read_corpus(const std::filesystem::path& source,
                   CorpusFormat format = CorpusFormat::automatic);

}  // namespace scion
