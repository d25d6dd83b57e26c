#include "scion/model/joiner.h"

#include "scion/nn/functional.h"
#include "scion/nn/observer.h"

namespace scion {

Joiner::Joiner(const Scope& scope, const Axis& encoder, const Axis& predictor, int64_t width,
               int64_t vocabulary)
    : Module(scope) {
  const Axis joint = leaf("width", width), labels = Axis::labels(vocabulary);
  encoder_weight_ = parameter("encoder_projection.weight", {joint, encoder}, init::weight);
  encoder_bias_ = parameter("encoder_projection.bias", {joint}, init::bias(encoder.size()));
  predictor_weight_ = parameter("predictor_projection.weight", {joint, predictor}, init::weight);
  predictor_bias_ = parameter("predictor_projection.bias", {joint}, init::bias(predictor.size()));
  weight_ = parameter("output.weight", {labels, joint}, init::weight);
  bias_ = parameter("output.bias", {labels}, init::bias(width));
}

at::Tensor Joiner::project_encoder(const at::Tensor& x, const ForwardContext& context) const {
  if (context.inputs) context.inputs->linear({{encoder_weight_}, encoder_bias_}, x);
  return linear(x, encoder_weight_, encoder_bias_, context);
}

at::Tensor Joiner::project_predictor(const at::Tensor& x, const ForwardContext& context) const {
  if (context.inputs) context.inputs->linear({{predictor_weight_}, predictor_bias_}, x);
  return linear(x, predictor_weight_, predictor_bias_, context);
}

at::Tensor Joiner::logits(const at::Tensor& encoder, const at::Tensor& predictor) const {
  return at::linear(at::tanh(encoder + predictor), weight_, bias_);
}

}  // namespace scion
