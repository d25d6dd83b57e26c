#include "scion/model/joiner.h"

#include "scion/nn/operators/functional.h"

namespace scion {

Joiner::Joiner(const Scope& scope, const Axis& encoder, const Axis& predictor, int64_t width,
               int64_t vocabulary)
    : Module(scope) {
  const Axis joint = leaf("width", width), labels = Axis::labels(vocabulary);
  encoder_projection_ = make_linear("encoder_projection", joint, encoder);
  predictor_projection_ = make_linear("predictor_projection", joint, predictor);
  output_ = make_linear("output", labels, joint);
}

at::Tensor Joiner::project_encoder(const at::Tensor& x, const ForwardContext& context) const {
  return linear(x, encoder_projection_, context);
}

at::Tensor Joiner::project_predictor(const at::Tensor& x, const ForwardContext& context) const {
  return linear(x, predictor_projection_, context);
}

JoinerInputs Joiner::inputs(const at::Tensor& encoded, const at::Tensor& predicted,
                            const ForwardContext& context) const {
  return {project_encoder(encoded, context), project_predictor(predicted, context), output_.weight,
          output_.bias};
}

at::Tensor Joiner::logits(const at::Tensor& encoder, const at::Tensor& predictor) const {
  return at::linear(at::tanh(encoder + predictor), output_.weight, output_.bias);
}

}  // namespace scion
