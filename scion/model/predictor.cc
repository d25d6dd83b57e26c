#include "scion/model/predictor.h"

#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/nn/operators/functional.h"

namespace scion {

PredictorState PredictorState::select(const at::Tensor& indices) const {
  PredictorState selected{output.index_select(0, indices), {}};
  for (const at::Tensor& one : memory) selected.memory.push_back(one.index_select(0, indices));
  return selected;
}

PredictorState PredictorState::append(const PredictorState& other) const {
  PredictorState joined{at::cat({output, other.output}), {}};
  for (size_t i = 0; i < memory.size(); ++i)
    joined.memory.push_back(at::cat({memory[i], other.memory[i]}));
  return joined;
}

StatelessPredictor::StatelessPredictor(const Scope& scope, int64_t vocabulary, int64_t width,
                                       int64_t context_labels)
    : Predictor(scope), width_(leaf("width", width)), context_labels_(context_labels) {
  embedding_ = parameter("embedding", {Axis::labels(vocabulary), width_}, init::embedding);
  const Axis context = taps("context", context_labels, Axis::Anchor::newest);
  convolution_ = make_convolution("convolution", width_, context);
}

at::Tensor StatelessPredictor::mix(const at::Tensor& labels, const ForwardContext& context) const {
  const at::Tensor embedded = at::embedding(embedding_, labels);  // (B, U + context, width)
  const at::Tensor y = at::relu(mix_taps(embedded, convolution_, context));
  context.show(place(), y);
  return y;
}

at::Tensor StatelessPredictor::forward(const at::Tensor& tokens,
                                       const ForwardContext& context) const {
  return mix(at::constant_pad_nd(upload(tokens, embedding_.device()), {context_labels_, 0}),
             context);
}

PredictorState StatelessPredictor::start(int64_t batch, const ForwardContext& context) const {
  const at::Tensor labels = at::zeros({batch, context_labels_},
                                      embedding_.options().dtype(at::kLong).requires_grad(false));
  return {mix(labels, context).squeeze(1), {labels}};
}

PredictorState StatelessPredictor::next(const PredictorState& state, const at::Tensor& labels,
                                        const ForwardContext& context) const {
  const at::Tensor last = at::cat({state.memory[0].slice(1, 1), labels.unsqueeze(1)}, 1);
  return {mix(last, context).squeeze(1), {last}};
}

void StatelessPredictor::output(const int64_t* labels, float* out) const {
  const int64_t width = width_.size();
  const auto* embedding = embedding_.const_data_ptr<float>();
  const auto* weight = convolution_.weight.const_data_ptr<float>();
  std::copy_n(convolution_.bias.const_data_ptr<float>(), width, out);
  for (int64_t tap = 0; tap < context_labels_; ++tap)
    for (int64_t i = 0; i < width; ++i)
      out[i] += embedding[labels[tap] * width + i] * weight[i * context_labels_ + tap];
  for (int64_t i = 0; i < width; ++i) out[i] = std::max(out[i], 0.F);
}

LstmPredictor::LstmPredictor(const Scope& scope, int64_t vocabulary, int64_t width, int64_t layers)
    : Predictor(scope), width_(leaf("width", width)) {
  embedding_ = parameter("embedding", {Axis::labels(vocabulary), width_}, init::embedding);
  for (int64_t i = 0; i < layers; ++i)
    layers_.emplace_back(scope.layer("layers", i), width_, width_);
}

at::Tensor LstmPredictor::run(const at::Tensor& labels, std::vector<LstmState>& states,
                              const ForwardContext& context) const {
  at::Tensor y = at::embedding(embedding_, labels);
  for (size_t i = 0; i < layers_.size(); ++i) y = layers_[i].forward(y, states[i], context);
  context.show(place(), y);
  return y;
}

at::Tensor LstmPredictor::forward(const at::Tensor& tokens, const ForwardContext& context) const {
  std::vector<LstmState> states;
  for (const Lstm& layer : layers_) states.push_back(layer.start(tokens.size(0)));
  return run(at::constant_pad_nd(upload(tokens, embedding_.device()), {1, 0}), states, context);
}

PredictorState LstmPredictor::start(int64_t batch, const ForwardContext& context) const {
  PredictorState state;
  for (const Lstm& layer : layers_) {
    const LstmState zero = layer.start(batch);
    state.memory.insert(state.memory.end(), {zero.hidden, zero.cell});
  }
  return next(state, at::zeros({batch}, embedding_.options().dtype(at::kLong).requires_grad(false)),
              context);
}

PredictorState LstmPredictor::next(const PredictorState& state, const at::Tensor& labels,
                                   const ForwardContext& context) const {
  std::vector<LstmState> states;
  for (size_t i = 0; i < layers_.size(); ++i)
    states.push_back({state.memory[2 * i], state.memory[2 * i + 1]});
  PredictorState after;
  after.output = run(labels.unsqueeze(1), states, context).squeeze(1);
  for (const LstmState& layer : states)
    after.memory.insert(after.memory.end(), {layer.hidden, layer.cell});
  return after;
}

std::unique_ptr<Predictor> make_predictor(const Scope& scope, const ModelConfig& config,
                                          int64_t vocabulary) {
  if (config.predictor == PredictorKind::lstm)
    return std::make_unique<LstmPredictor>(scope, vocabulary, config.predictor_width,
                                           config.predictor_layers);
  return std::make_unique<StatelessPredictor>(scope, vocabulary, config.predictor_width,
                                              config.predictor_context);
}

}  // namespace scion
