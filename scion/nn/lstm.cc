#include "scion/nn/lstm.h"

namespace scion {

Lstm::Lstm(const Scope& scope, const Axis& input, const Axis& hidden) : Module(scope) {
  const Axis gates = Axis::concat({hidden, hidden, hidden, hidden});
  weights_.input = parameter("input.weight", {gates, input}, init::weight);
  weights_.hidden = parameter("hidden.weight", {gates, hidden}, init::weight);
  weights_.bias = parameter("bias", {gates}, init::bias(hidden.size()));
}

LstmState Lstm::start(int64_t batch) const {
  const at::Tensor zero = at::zeros({batch, weights_.hidden.size(1)}, weights_.bias.options());
  return {zero.detach(), zero.detach()};
}

at::Tensor Lstm::forward(const at::Tensor& x, LstmState& state,
                         const ForwardContext& context) const {
  return lstm(x, weights_, state, context);
}

}  // namespace scion
