// Ids of a corpus whose files name none.
#pragma once

#include <filesystem>

#include "scion/data/corpora/readers/readers.h"

namespace scion {

/// Gives ids to the utterances that have none: the stem of the audio file, or the whole path below
/// `folder` without its extension where stems repeat; and the beginning of segments.
void fill_ids(Corpus& corpus, const std::filesystem::path& folder);

/// UserError when there is no utterance (`source` names the corpus), or an id occurs twice.
void check_utterances(const Corpus& corpus, const std::filesystem::path& source,
                      const std::string& hint);

}  // namespace scion
