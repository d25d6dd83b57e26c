#include "scion/model/encoders/lstm_encoder.h"

#include "scion/nn/operators/functional.h"

namespace scion {

LstmLayer::LstmLayer(const Scope& scope, const LstmConfig& config, const Axis& residual)
    : Module(scope),
      dropout_(config.dropout),
      hidden_(leaf("hidden", config.hidden)),
      norm_(make_layer_norm("norm", residual)),
      lstm_(scope / "lstm", residual, hidden_),
      projection_(make_linear("projection", residual, hidden_)) {}

at::Tensor LstmLayer::forward(const at::Tensor& x, LstmState& state,
                              const ForwardContext& context) const {
  const at::Tensor h = lstm_.forward(layer_norm(x, norm_), state, context);
  at::Tensor y = add_linear(x, h, projection_, 1, dropout_, context);
  context.show(place(), y);
  return y;
}

LstmEncoder::LstmEncoder(const Scope& scope, const LstmConfig& config, int64_t bins)
    : Encoder(scope), dropout_(config.dropout), residual_(leaf("residual", config.width)) {
  subsampling_ = make_subsampling(scope / "subsampling", bins,
                                  {config.subsampling, config.subsampling_channels}, residual_);
  scope.declare_stack("layers", config.layers);
  for (int64_t i = 0; i < config.layers; ++i)
    layers_.emplace_back(scope.layer("layers", i), config, residual_);
  norm_ = make_layer_norm("norm", residual_);
}

std::vector<LstmState> LstmEncoder::start(int64_t batch) const {
  std::vector<LstmState> states;
  for (const LstmLayer& layer : layers_) states.push_back(layer.start(batch));
  return states;
}

at::Tensor LstmEncoder::run(at::Tensor x, std::vector<LstmState>& states,
                            const ForwardContext& context) const {
  for (size_t i = 0; i < layers_.size(); ++i) x = layers_[i].forward(x, states[i], context);
  return layer_norm(x, norm_, context);
}

// The layers are causal: padding after an utterance does not influence it, and needs no mask.
at::Tensor LstmEncoder::forward(at::Tensor x, const at::Tensor& /*lengths*/,
                                const ForwardContext& context) const {
  std::vector<LstmState> states = start(x.size(0));
  x = dropout(x, dropout_, context);
  return run(x, states, context);
}

class LstmEncoder::Stream : public EncoderStream {
 public:
  Stream(const LstmEncoder& encoder, const ForwardContext& context)
      : encoder_(encoder), context_(context), states_(encoder.start(1)) {}
  at::Tensor accept(const at::Tensor& x) override { return encoder_.run(x, states_, context_); }

 private:
  const LstmEncoder& encoder_;
  ForwardContext context_;
  std::vector<LstmState> states_;
};

std::unique_ptr<EncoderStream> LstmEncoder::stream(const ForwardContext& context) const {
  return std::make_unique<Stream>(*this, context);
}

std::unique_ptr<Encoder> make_encoder(const Scope& scope, const LstmConfig& config, int64_t bins) {
  return std::make_unique<LstmEncoder>(scope, config, bins);
}

}  // namespace scion
