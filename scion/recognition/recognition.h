// The text of an utterance, with the times of its words.
#pragma once

#include <string>
#include <vector>

#include "scion/search/search.h"
#include "scion/text/timed_word.h"
#include "scion/text/tokenizer.h"

namespace scion {

struct Recognition {
  std::string text;
  std::vector<TimedWord> words;
  double audio_seconds = 0;
  double log_probability = 0;  ///< of the hypothesis that the search found
};

/// The label of characters that no piece covers is not to be emitted.
void suppress_unknown(SearchConfig& search, const Tokenizer& tokenizer);

Recognition to_recognition(const Hypothesis& hypothesis, const Tokenizer& tokenizer,
                           const ModelConfig& model, double audio_seconds);

}  // namespace scion
