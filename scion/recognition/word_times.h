// Times of the words of a hypothesis.
#pragma once

#include <vector>

#include "scion/search/search.h"
#include "scion/text/timed_word.h"
#include "scion/text/tokenizer.h"

namespace scion {

/// Seconds from one encoder frame to the next.
double encoder_frame_seconds(const ModelConfig& config);

/// The words of the decoded text. A word starts with the encoder frame of its first token and ends
/// after that of its last, or with the duration that a TDT gives it; a transducer may emit a token
/// some frames after its sound.
std::vector<TimedWord> word_times(const Hypothesis& hypothesis, const Tokenizer& tokenizer,
                                  double frame_seconds);

}  // namespace scion
