#include "scion/nn/lstm.h"

#include "scion/nn/observer.h"

namespace scion {

Lstm::Lstm(const Scope& scope, const Axis& input, const Axis& hidden) : Module(scope) {
  const Axis gates = Axis::concat({hidden, hidden, hidden, hidden});
  input_weight_ = parameter("input.weight", {gates, input}, init::weight);
  hidden_weight_ = parameter("hidden.weight", {gates, hidden}, init::weight);
  bias_ = parameter("bias", {gates}, init::bias(hidden.size()));
}

LstmState Lstm::start(int64_t batch) const {
  const at::Tensor zero = at::zeros({batch, hidden_weight_.size(1)}, bias_.options());
  return {zero.detach(), zero.detach()};
}

at::Tensor Lstm::forward(const at::Tensor& x, LstmState& state,
                         const ForwardContext& context) const {
  // The library wants two biases; their sum is all that counts.
  const at::Tensor none = at::zeros_like(bias_).detach();
  const std::vector<at::Tensor> before = {state.hidden.unsqueeze(0), state.cell.unsqueeze(0)};
  const std::vector<at::Tensor> weights = {input_weight_, hidden_weight_, bias_, none};
  // Without dropout `training` makes no difference but to cuDNN, which else keeps nothing for the
  // backward pass.
  const bool training = at::GradMode::is_enabled();
  const auto [y, hidden, cell] = at::lstm(x, before, weights, true, 1, 0, training, false, true);
  if (context.inputs) {
    const at::Tensor remembered =
        at::cat({state.hidden.unsqueeze(1), y.slice(1, 0, y.size(1) - 1)}, 1);
    context.inputs->linear(
        {.weights = {input_weight_, hidden_weight_}, .bias = bias_, .recurrent = true},
        at::cat({x, remembered}, 2));
  }
  state = {hidden.squeeze(0), cell.squeeze(0)};
  return y;
}

}  // namespace scion
