#include "scion/model/predictor.h"

namespace scion {

StatelessPredictor::StatelessPredictor(const Scope& scope, int64_t vocabulary, int64_t width,
                                       int64_t context_labels)
    : Module(scope), width_(leaf("width", width)), context_labels_(context_labels) {
  embedding_ = parameter("embedding", {Axis::fixed(vocabulary), width_}, init::embedding);
  const Axis taps = Axis::taps(context_labels, Axis::Anchor::newest);
  weight_ = parameter("convolution.weight", {width_, Axis::fixed(1), taps}, init::weight);
  bias_ = parameter("convolution.bias", {width_}, init::bias(context_labels));
}

at::Tensor StatelessPredictor::mix(const at::Tensor& labels, const Context& context) const {
  const at::Tensor embedded = at::embedding(embedding_, labels);  // (B, U + context, width)
  const int64_t positions = labels.size(1) - context_labels_ + 1;
  at::Tensor y = bias_;
  for (int64_t tap = 0; tap < context_labels_; ++tap)
    y = y + embedded.slice(1, tap, tap + positions) * weight_.select(2, tap).squeeze(1);
  y = at::relu(y);
  context.show(place(), y);
  return y;
}

at::Tensor StatelessPredictor::forward(const at::Tensor& tokens, const Context& context) const {
  return mix(at::constant_pad_nd(tokens, {context_labels_, 0}), context);
}

at::Tensor StatelessPredictor::step(const at::Tensor& last_labels, const Context& context) const {
  return mix(last_labels, context).squeeze(1);
}

}  // namespace scion
