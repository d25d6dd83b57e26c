// Layer normalisation (Ba et al., 2016).
#pragma once

#include "scion/nn/forward_context.h"
#include "scion/nn/module.h"

namespace scion {

/// Learnt scale and shift after normalising each frame to mean 0 and deviation 1.
class LayerNorm : public Module {
 public:
  LayerNorm(const Scope& scope, const Axis& axis);
  at::Tensor forward(const at::Tensor& x) const;
  /// The same where no linear map follows that would be shown: shows its own scale and shift.
  at::Tensor forward(const at::Tensor& x, const ForwardContext& context) const;
  const at::Tensor& weight() const { return weight_; }
  const at::Tensor& bias() const { return bias_; }

 private:
  at::Tensor weight_, bias_;
};

/// A normalisation's scale and shift (C) as the depthwise map that they are, of x (…, C)
/// normalised.
void show_layer_scale(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& x,
                      InputObserver& observer);

}  // namespace scion
