// The additive joiner: logits(t, u) = W tanh(P_e encoder(t) + P_p predictor(u)) + b.
#pragma once

#include "scion/nn/forward_context.h"
#include "scion/nn/module.h"

namespace scion {

class Joiner : public Module {
 public:
  Joiner(const Scope& scope, const Axis& encoder, const Axis& predictor, int64_t width,
         int64_t vocabulary);

  /// (…, encoder width) → (…, joiner width)
  at::Tensor project_encoder(const at::Tensor& x, const ForwardContext& context) const;
  /// (…, predictor width) → (…, joiner width)
  at::Tensor project_predictor(const at::Tensor& x, const ForwardContext& context) const;
  /// Two projections that broadcast against each other → logits (…, V).
  at::Tensor logits(const at::Tensor& encoder, const at::Tensor& predictor) const;

  const at::Tensor& weight() const { return weight_; }  ///< (V, joiner width)
  const at::Tensor& bias() const { return bias_; }      ///< (V)

 private:
  at::Tensor encoder_weight_, encoder_bias_, predictor_weight_, predictor_bias_, weight_, bias_;
};

}  // namespace scion
