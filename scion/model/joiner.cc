#include "scion/model/joiner.h"

#include "scion/nn/operators/functional.h"

namespace scion {

Joiner::Joiner(const Scope& scope, const Axis& encoder, const Axis& predictor, int64_t width,
               int64_t vocabulary, JoinerActivation activation,
               const std::vector<int64_t>& durations)
    : Module(scope), activation_(activation) {
  const Axis joint = leaf("width", width), labels = Axis::labels(vocabulary);
  encoder_projection_ = make_linear("encoder_projection", joint, encoder);
  predictor_projection_ = make_linear("predictor_projection", joint, predictor);
  output_ = make_linear("output", labels, joint);
  if (durations.empty()) return;
  const Axis axis = Axis::fixed(static_cast<int64_t>(durations.size()),
                                fmt::format("durations {}", fmt::join(durations, " ")));
  durations_ = make_linear("durations", axis, joint);
}

at::Tensor Joiner::project_encoder(const at::Tensor& x, const ForwardContext& context) const {
  return linear(x, encoder_projection_, context);
}

at::Tensor Joiner::project_predictor(const at::Tensor& x, const ForwardContext& context) const {
  return linear(x, predictor_projection_, context);
}

JoinerInputs Joiner::inputs(const at::Tensor& encoded, const at::Tensor& predicted,
                            const ForwardContext& context) const {
  JoinerInputs inputs{project_encoder(encoded, context), project_predictor(predicted, context),
                      output_.weight, output_.bias, activation_};
  if (durations_.weight.defined()) {
    inputs.weight = at::cat({output_.weight, durations_.weight});
    inputs.bias = at::cat({output_.bias, durations_.bias});
  }
  return inputs;
}

at::Tensor Joiner::activate(const at::Tensor& sums) const {
  return activation_ == JoinerActivation::relu ? at::relu(sums) : at::tanh(sums);
}

at::Tensor Joiner::logits(const at::Tensor& encoder, const at::Tensor& predictor) const {
  return at::linear(activate(encoder + predictor), output_.weight, output_.bias);
}

std::pair<at::Tensor, at::Tensor> Joiner::token_and_duration_logits(
    const at::Tensor& encoder, const at::Tensor& predictor) const {
  TORCH_CHECK(durations_.weight.defined(), "the model has no durations");
  const at::Tensor hidden = activate(encoder + predictor);
  return {at::linear(hidden, output_.weight, output_.bias),
          at::linear(hidden, durations_.weight, durations_.bias)};
}

}  // namespace scion
