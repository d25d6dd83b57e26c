// Long short-term memory (Hochreiter & Schmidhuber, 1997; with the forget gate of Gers et al.,
// 2000).
#pragma once

#include "scion/nn/forward_context.h"
#include "scion/nn/module.h"

namespace scion {

/// What a layer remembers: (B, H) each.
struct LstmState {
  at::Tensor hidden, cell;
};

/// One layer. The gates stand in the order input, forget, cell, output, and share their units.
class Lstm : public Module {
 public:
  Lstm(const Scope& scope, const Axis& input, const Axis& hidden);

  /// Nothing seen yet.
  LstmState start(int64_t batch) const;
  /// x (B, T, I) → (B, T, H); the state is moved on by T steps.
  at::Tensor forward(const at::Tensor& x, LstmState& state, const ForwardContext& context) const;

 private:
  at::Tensor input_weight_, hidden_weight_, bias_;  // (4H, I), (4H, H), (4H)
};

}  // namespace scion
