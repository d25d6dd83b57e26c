// Long short-term memory (Hochreiter & Schmidhuber, 1997; with the forget gate of Gers et al.,
// 2000).
#pragma once

#include "scion/nn/module.h"
#include "scion/nn/operators/functional.h"

namespace scion {

/// One layer. The gates are in the order input, forget, cell, output, and share their units.
class Lstm : public Module {
 public:
  Lstm(const Scope& scope, const Axis& input, const Axis& hidden);

  /// The state before the first frame.
  LstmState start(int64_t batch) const;
  /// x (B, T, I) → (B, T, H); the state is advanced by T steps.
  at::Tensor forward(const at::Tensor& x, LstmState& state, const ForwardContext& context) const;

 private:
  LstmWeights weights_;
};

}  // namespace scion
