// Corpora: read by the reader of their format.
#pragma once

#include <filesystem>

#include "scion/data/corpora/detect_format.h"
#include "scion/data/corpora/readers/readers.h"
#include "scion/data/corpora/readers/table.h"

namespace scion {

/// Reads a corpus. `table`: how tables are read. UserError when its format is not recognised (with
/// the files that were looked for), and on errors of its reader.
Corpus read_corpus(const std::filesystem::path& source,
                   CorpusFormat format = CorpusFormat::automatic, const TableConfig& table = {});

}  // namespace scion
