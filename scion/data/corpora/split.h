// Setting speakers aside.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "scion/data/manifest.h"

namespace scion {

/// Sets `count` whole speakers aside: the first ones in the order of stable_hash(name), which has
/// nothing to do with what they say or how their names sort. Returns the rest and the set-aside
/// utterances, both in their old order. UserError when there are not more speakers than that.
std::pair<std::vector<Utterance>, std::vector<Utterance>> split_speakers(
    const std::vector<Utterance>& utterances, size_t count);

}  // namespace scion
