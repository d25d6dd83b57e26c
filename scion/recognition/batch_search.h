// Search of a batch whose utterances may be too long for the memory.
#pragma once

#include <vector>

#include "scion/data/dataset.h"
#include "scion/model/transducer.h"
#include "scion/search/search.h"

namespace scion {

/// The best hypothesis of each utterance of a batch of `dataset`. Where memory runs out the
/// utterances are searched one by one; one that does not fit even so gets an empty hypothesis and a
/// warning.
std::vector<Hypothesis> search_batch(const Transducer& model, const Batch& batch,
                                     const Dataset& dataset, const SearchConfig& config,
                                     const ForwardContext& context);

}  // namespace scion
