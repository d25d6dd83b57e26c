// Layer normalisation (Ba et al., 2016).
#pragma once

#include "scion/model/module.h"

namespace scion {

/// Learnt scale and shift after normalising each frame to mean 0 and deviation 1.
class LayerNorm : public Module {
 public:
  LayerNorm(const Scope& scope, const Axis& axis);
  at::Tensor forward(const at::Tensor& x) const;
  const at::Tensor& weight() const { return weight_; }
  const at::Tensor& bias() const { return bias_; }

 private:
  at::Tensor weight_, bias_;
};

}  // namespace scion
