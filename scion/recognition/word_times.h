// When the words of a hypothesis were said.
#pragma once

#include <vector>

#include "scion/scoring/nist.h"
#include "scion/search/greedy_search.h"
#include "scion/text/tokenizer.h"

namespace scion {

/// Seconds from one encoder frame to the next.
double encoder_frame_seconds(const ModelConfig& config);

/// The words of the decoded text. A word begins with the encoder frame of its first token and ends
/// behind that of its last; a transducer may emit a token some frames after its sound.
std::vector<TimedWord> word_times(const Hypothesis& hypothesis, const Tokenizer& tokenizer,
                                  double frame_seconds);

}  // namespace scion
