#include "scion/nn/layer_norm.h"

#include "scion/nn/observer.h"

namespace scion {

LayerNorm::LayerNorm(const Scope& scope, const Axis& axis) : Module(scope) {
  weight_ = parameter("weight", {axis}, init::one);
  bias_ = parameter("bias", {axis}, init::zero);
}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, weight_, bias_, 1e-5);
}

at::Tensor LayerNorm::forward(const at::Tensor& x, const ForwardContext& context) const {
  if (context.inputs) show_layer_scale(weight_, bias_, x, *context.inputs);
  return forward(x);
}

void show_layer_scale(const at::Tensor& weight, const at::Tensor& bias, const at::Tensor& x,
                      InputObserver& observer) {
  observer.linear({{weight}, bias, true}, at::layer_norm(x, {x.size(-1)}).unsqueeze(-1));
}

}  // namespace scion
