// Corpora: read by the reader of their format.
#pragma once

#include <filesystem>

#include "scion/data/corpora/detect_format.h"
#include "scion/data/corpora/readers/readers.h"
#include "scion/data/corpora/tables/table.h"

namespace scion {

/// What readers of some formats ask for.
struct CorpusOptions {
  TableConfig table;                    ///< how tables are read
  std::string subset;                   ///< of a corpus that lists several
  std::filesystem::path unpacked = {};  ///< folder for audio that lies in archives; is made
};

/// Reads a corpus. UserError when its format is not recognised (with the files that were looked
/// for), when an option does not belong to it, and on errors of its reader.
Corpus read_corpus(const std::filesystem::path& source,
                   CorpusFormat format = CorpusFormat::automatic,
                   const CorpusOptions& options = {});

}  // namespace scion
