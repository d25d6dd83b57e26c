#include "scion/recognition/streaming_recogniser.h"

namespace scion {

StreamingRecogniser::StreamingRecogniser(const Transducer& model, const Tokenizer& tokenizer,
                                         const SearchConfig& config, const ForwardContext& context)
    : model_(model),
      tokenizer_(tokenizer),
      fbank_(model.config().features),
      encoder_(model, context),
      search_(make_search(model, 1, config, context)) {}

void StreamingRecogniser::search(const at::Tensor& frames) {
  if (frames.size(1) > 0) search_->advance({frames, at::full({1}, frames.size(1), at::kLong)});
}

void StreamingRecogniser::take_features() {
  const int64_t ready = fbank_.ready();
  if (ready > 0) search(encoder_.accept(fbank_.take(ready)));
}

void StreamingRecogniser::accept(const float* samples, int64_t count) {
  samples_ += count;
  fbank_.accept(samples, count);
  take_features();
}

void StreamingRecogniser::finish() {
  fbank_.finish();
  take_features();
  search(encoder_.finish());
}

Recognition StreamingRecogniser::recognition() const {
  const double rate = static_cast<double>(model_.config().features.sample_rate);
  return to_recognition(hypothesis(), tokenizer_, model_.config(),
                        static_cast<double>(samples_) / rate);
}

}  // namespace scion
