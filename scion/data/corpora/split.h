// Holds out whole speakers for a development set.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "scion/data/manifest/manifest.h"

namespace scion {

/// Holds out `count` speakers: the first ones in the order of stable_hash(name), which is unrelated
/// to their utterances or the order of their names. Returns the remaining and the held-out
/// utterances, both in their original order. UserError when there are not more speakers than that.
std::pair<std::vector<Utterance>, std::vector<Utterance>> split_speakers(
    const std::vector<Utterance>& utterances, size_t count);

}  // namespace scion
