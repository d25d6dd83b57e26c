// Samples that arrive in pieces → what has been said so far.
#pragma once

#include "scion/audio/fbank_stream.h"
#include "scion/model/streaming_encoder.h"
#include "scion/search/greedy_search.h"

namespace scion {

/// One utterance: filter banks, encoder and greedy search, each as far as the samples reach.
class StreamingRecogniser {
 public:
  /// UserError for a model that needs to see the whole utterance. The model must outlive it.
  StreamingRecogniser(const Transducer& model, const SearchConfig& config,
                      const ForwardContext& context);

  /// The next `count` samples in [-1, 1], at the model's rate.
  void accept(const float* samples, int64_t count);
  /// The utterance ends here.
  void finish();
  const Hypothesis& hypothesis() const { return search_.hypotheses().front(); }

 private:
  void take_features();
  void search(const at::Tensor& frames);

  StreamingFbank fbank_;
  StreamingEncoder encoder_;
  GreedySearch search_;
};

}  // namespace scion
