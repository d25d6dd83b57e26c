// Features that arrive in pieces → encoder frames, each as soon as no later feature changes it.
#pragma once

#include <memory>

#include "scion/model/transducer.h"

namespace scion {

/// Computes the frames of Transducer::encode() over the whole utterance, up to rounding, with a
/// bounded past.
class StreamingEncoder {
 public:
  /// UserError for a model that needs the whole utterance. The model must outlive the encoder.
  StreamingEncoder(const Transducer& model, const ForwardContext& context);

  /// The next features (T, F) as the front end gives them → the encoder frames (1, T', width) that
  /// are now final; T' may be 0.
  at::Tensor accept(const at::Tensor& features);
  /// Ends the utterance: its last encoder frames (1, T', width).
  at::Tensor finish();

 private:
  at::Tensor subsample(bool last);
  at::Tensor advance(bool last);

  const Transducer& model_;
  ForwardContext context_;
  std::unique_ptr<EncoderStream> layers_;
  at::Tensor features_;     // (1, T, F), normalised, from encoder frame first_ on
  int64_t received_ = 0;    // feature frames in all
  int64_t first_ = 0;       // encoder frame
  int64_t subsampled_ = 0;  // encoder frames in all
  at::Tensor waiting_;      // (1, T', width): subsampled frames of a chunk that is not full
};

}  // namespace scion
