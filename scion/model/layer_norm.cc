#include "scion/model/layer_norm.h"

namespace scion {

LayerNorm::LayerNorm(const Scope& scope, const Axis& axis) : Module(scope) {
  weight_ = parameter("weight", {axis}, init::one);
  bias_ = parameter("bias", {axis}, init::zero);
}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, weight_, bias_, 1e-5);
}

}  // namespace scion
