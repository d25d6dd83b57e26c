// Corpora whose audio lies in tar archives.
#pragma once

#include <filesystem>

#include "scion/data/corpora/readers/readers.h"

namespace scion {

// The audio is unpacked into the folder `unpacked`, which is made; a remark says how much it is.

/// WeNet's shards: a list of archives (`data.list`, a path a line), or one archive. An utterance is
/// a text (`ID.txt`) and its audio (`ID.wav`, …) in the same archive. Skipped: one without the
/// other, archives that cannot be read to their end.
Corpus read_shards(const std::filesystem::path& source, const std::filesystem::path& unpacked);

/// Whether a folder is Lhotse Shar: `cuts*.jsonl[.gz]` with `recording*.tar`.
bool is_lhotse_shar(const std::filesystem::path& folder);

/// Lhotse Shar: cuts as in read_lhotse(), whose audio is `CUT.flac` (or another format) in the
/// archives.
Corpus read_lhotse_shar(const std::filesystem::path& folder, const std::filesystem::path& unpacked);

}  // namespace scion
