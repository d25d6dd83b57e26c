// Recognition while the samples of an utterance arrive.
#pragma once

#include <memory>

#include "scion/audio/fbank_stream.h"
#include "scion/model/streaming_encoder.h"
#include "scion/recognition/recognition.h"

namespace scion {

/// One utterance. Features, encoder frames and the search are advanced with every piece of samples.
class StreamingRecogniser {
 public:
  /// UserError for a model that needs to see the whole utterance. Model and tokenizer must outlive
  /// it.
  StreamingRecogniser(const Transducer& model, const Tokenizer& tokenizer,
                      const SearchConfig& config, const ForwardContext& context);

  /// The next `count` samples in [-1, 1], at the model's sampling rate.
  void accept(const float* samples, int64_t count);
  /// Ends the utterance: its last frames are searched.
  void finish();

  const Hypothesis& hypothesis() const { return search_->hypotheses().front(); }
  /// Text and words so far.
  Recognition recognition() const;

 private:
  void take_features();
  void search(const at::Tensor& frames);

  const Transducer& model_;
  const Tokenizer& tokenizer_;
  StreamingFbank fbank_;
  StreamingEncoder encoder_;
  std::unique_ptr<Search> search_;
  int64_t samples_ = 0;  // accepted so far
};

}  // namespace scion
