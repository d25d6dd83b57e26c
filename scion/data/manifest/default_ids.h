// Ids of utterances whose lines in a manifest give none.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scion/data/manifest/manifest.h"

namespace scion {

/// The file's stem, and the offset of a part.
std::string default_id(const std::filesystem::path& audio, const AudioPart& part);

/// default_id() of each, where they all differ. Else as much more of the path as tells files with
/// one name apart, and the end and the channel of parts that begin alike. Only utterances with the
/// same part of the same file have equal ids.
std::vector<std::string> default_ids(const std::vector<const Utterance*>& utterances);

/// Gives ids to those of `utterances` that have none.
void fill_default_ids(std::vector<Utterance>& utterances);

}  // namespace scion
