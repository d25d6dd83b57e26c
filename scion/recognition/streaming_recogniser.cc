#include "scion/recognition/streaming_recogniser.h"

namespace scion {

StreamingRecogniser::StreamingRecogniser(const Transducer& model, const SearchConfig& config,
                                         const ForwardContext& context)
    : fbank_(model.config().features),
      encoder_(model, context),
      search_(model, 1, config, context) {}

void StreamingRecogniser::search(const at::Tensor& frames) {
  if (frames.size(1) > 0) search_.advance({frames, at::full({1}, frames.size(1), at::kLong)});
}

void StreamingRecogniser::take_features() {
  const int64_t ready = fbank_.ready();
  if (ready > 0) search(encoder_.accept(fbank_.take(ready)));
}

void StreamingRecogniser::accept(const float* samples, int64_t count) {
  fbank_.accept(samples, count);
  take_features();
}

void StreamingRecogniser::finish() {
  fbank_.finish();
  take_features();
  search(encoder_.finish());
}

}  // namespace scion
