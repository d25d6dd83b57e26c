// The predictor of a batch of searches, whose utterances move on at their own steps.
#pragma once

#include "scion/model/transducer.h"

namespace scion {

class SearchPredictor {
 public:
  SearchPredictor(const Transducer& model, int64_t batch, const ForwardContext& context);

  /// The joiner's projection after the labels so far: (B, joiner width).
  const at::Tensor& projected() const { return projected_; }
  /// Takes `labels` (B) where `emitting` (B) bool, on the CPU or the labels' device.
  void take(const at::Tensor& labels, const at::Tensor& emitting);

 private:
  const Transducer& model_;
  ForwardContext context_;
  PredictorState state_;
  at::Tensor projected_;
};

}  // namespace scion
