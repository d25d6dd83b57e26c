#include "scion/recognition/word_times.h"

#include "scion/text/utf8.h"

namespace scion {

double encoder_frame_seconds(const ModelConfig& config) {
  return static_cast<double>(config.frame_factor()) * config.features.frame_shift_ms / 1000;
}

std::vector<TimedWord> word_times(const Hypothesis& hypothesis, const Tokenizer& tokenizer,
                                  double frame_seconds) {
  std::vector<TimedWord> words;
  std::vector<int64_t> tokens;
  // Decoding the tokens so far shows which words a token has changed, for every kind of tokenizer.
  for (size_t i = 0; i < hypothesis.tokens.size(); ++i) {
    tokens.push_back(hypothesis.tokens[i]);
    const std::vector<std::string> text = split_words(tokenizer.decode(tokens));
    const double start = static_cast<double>(hypothesis.frames[i]) * frame_seconds;
    const int64_t frames = i < hypothesis.durations.size() ? hypothesis.durations[i] : 1;
    const double end = start + static_cast<double>(std::max<int64_t>(1, frames)) * frame_seconds;
    for (size_t w = 0; w < text.size(); ++w) {
      if (w == words.size())
        words.push_back({text[w], start, end - start});
      else if (words[w].word != text[w])
        words[w] = {text[w], words[w].start, end - words[w].start};
    }
  }
  return words;
}

}  // namespace scion
