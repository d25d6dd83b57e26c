// Greedy search: the most probable label at every step, batched over utterances.
#pragma once

#include <vector>

#include "scion/model/transducer.h"

namespace scion {

struct SearchConfig {
  int64_t symbols_per_frame = 3;  ///< at most so many labels in one encoder frame
};

struct Hypothesis {
  std::vector<int64_t> tokens;
  std::vector<int64_t> frames;  ///< the encoder frame of each token
};

/// Encoder output (B, T', width) → one hypothesis an utterance.
std::vector<Hypothesis> greedy_search(const Transducer& model, const EncoderOutput& encoded,
                                      const SearchConfig& config, const Context& context);

}  // namespace scion
