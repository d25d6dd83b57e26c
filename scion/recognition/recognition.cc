#include "scion/recognition/recognition.h"

#include "scion/recognition/word_times.h"

namespace scion {

void suppress_unknown(SearchConfig& search, const Tokenizer& tokenizer) {
  if (const auto label = tokenizer.unknown()) search.suppressed.push_back(*label);
}

Recognition to_recognition(const Hypothesis& hypothesis, const Tokenizer& tokenizer,
                           const ModelConfig& model, double audio_seconds) {
  return {tokenizer.decode(hypothesis.tokens),
          word_times(hypothesis, tokenizer, encoder_frame_seconds(model)), audio_seconds,
          hypothesis.log_probability};
}

}  // namespace scion
