#include "scion/model/conformer.h"

#include "scion/model/functional.h"

namespace scion {

LayerNorm::LayerNorm(const Scope& scope, const Axis& axis) : Module(scope) {
  weight_ = parameter("weight", {axis}, init::one);
  bias_ = parameter("bias", {axis}, init::zero);
}

at::Tensor LayerNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, weight_, bias_, 1e-5);
}

FeedForward::FeedForward(const Scope& scope, const ConformerConfig& config, const Axis& residual)
    : Module(scope),
      activation_(config.activation),
      dropout_(config.dropout),
      norm_(scope / "norm", residual) {
  const Axis hidden = leaf("hidden", config.feed_forward);
  weight1_ = parameter("linear1.weight", {hidden, residual}, init::weight);
  bias1_ = parameter("linear1.bias", {hidden}, init::bias(residual.size()));
  weight2_ = parameter("linear2.weight", {residual, hidden}, init::weight);
  bias2_ = parameter("linear2.bias", {residual}, init::bias(hidden.size()));
}

at::Tensor FeedForward::forward(const at::Tensor& x, const Context& context) const {
  at::Tensor y = norm_linear(x, norm_.weight(), norm_.bias(), weight1_, context);
  y = activate_with_bias(y, bias1_, activation_, dropout_, context);
  y = add_linear(x, y, weight2_, bias2_, 0.5, dropout_, context);
  context.show(place(), y);
  return y;
}

Attention::Attention(const Scope& scope, const ConformerConfig& config, const Axis& residual,
                     const Axis& frequencies)
    : Module(scope),
      heads_(config.heads),
      dropout_(config.dropout),
      norm_(scope / "norm", residual) {
  const Axis heads = leaf("heads", heads_);
  const Axis query = Axis::product(heads, leaf("query", config.head_width));
  const Axis value = Axis::product(heads, leaf("value", config.head_width));
  const Axis stacked = Axis::concat({query, query, value});
  weight_in_ = parameter("in.weight", {stacked, residual}, init::weight);
  bias_in_ = parameter("in.bias", {stacked}, init::bias(residual.size()));
  weight_out_ = parameter("out.weight", {residual, value}, init::weight);
  bias_out_ = parameter("out.bias", {residual}, init::bias(value.size()));
  if (config.positions == "bias") {
    const Axis distances = Axis::taps(2 * config.position_range + 1, Axis::Anchor::centre);
    position_bias_ = parameter("position_bias", {heads, distances}, init::zero);
  } else {
    const Axis pairs = Axis::product(frequencies, Axis::fixed(2));
    position_weight_ = parameter("position.weight", {query, pairs}, init::weight);
    content_offset_ = parameter("content_offset", {query}, init::zero);
    position_offset_ = parameter("position_offset", {query}, init::zero);
  }
}

at::Tensor Attention::forward(const at::Tensor& x, const EncoderFrames& frames,
                              const Context& context) const {
  const at::Tensor h = norm_linear(x, norm_.weight(), norm_.bias(), weight_in_, context);
  const at::Tensor heads =
      position_bias_.defined()
          ? relative_attention(h, bias_in_, position_bias_, frames.lengths, dropout_, context)
          : sinusoid_attention(h, bias_in_, linear(frames.sinusoids, position_weight_, {}, context),
                               content_offset_, position_offset_, heads_, frames.lengths, dropout_,
                               context);
  const at::Tensor y = add_linear(x, heads, weight_out_, bias_out_, 1, dropout_, context);
  context.show(place(), y);
  return y;
}

ConvolutionModule::ConvolutionModule(const Scope& scope, const ConformerConfig& config,
                                     const Axis& residual)
    : Module(scope),
      activation_(config.activation),
      batch_norm_(config.convolution_norm == "batch"),
      dropout_(config.dropout),
      norm_(scope / "norm", residual) {
  const Axis channels = leaf("channels", residual.size());
  const Axis gated = Axis::concat({channels, channels});
  const Axis taps = Axis::taps(config.kernel, Axis::Anchor::centre);
  weight_in_ = parameter("pointwise1.weight", {gated, residual}, init::weight);
  bias_in_ = parameter("pointwise1.bias", {gated}, init::bias(residual.size()));
  weight_depthwise_ = parameter("depthwise.weight", {channels, Axis::fixed(1), taps}, init::weight);
  bias_depthwise_ = parameter("depthwise.bias", {channels}, init::bias(config.kernel));
  norm_weight_ = parameter("convolution_norm.weight", {channels}, init::one);
  norm_bias_ = parameter("convolution_norm.bias", {channels}, init::zero);
  if (batch_norm_) {
    running_mean_ = buffer("convolution_norm.running_mean", {channels}, init::zero);
    running_variance_ = buffer("convolution_norm.running_variance", {channels}, init::one);
  }
  weight_out_ = parameter("pointwise2.weight", {residual, channels}, init::weight);
  bias_out_ = parameter("pointwise2.bias", {residual}, init::bias(channels.size()));
}

at::Tensor ConvolutionModule::forward(const at::Tensor& x, const EncoderFrames& frames,
                                      const Context& context) const {
  const at::Tensor h = norm_linear(x, norm_.weight(), norm_.bias(), weight_in_, context);
  const at::Tensor inner =
      batch_norm_
          ? gated_convolution(h, bias_in_, weight_depthwise_, bias_depthwise_, frames.lengths,
                              {norm_weight_, norm_bias_, running_mean_, running_variance_},
                              activation_, context)
          : convolve_with_layer_norm(h, frames);
  const at::Tensor y = add_linear(x, inner, weight_out_, bias_out_, 1, dropout_, context);
  context.show(place(), y);
  return y;
}

at::Tensor ConvolutionModule::convolve_with_layer_norm(const at::Tensor& h,
                                                       const EncoderFrames& frames) const {
  at::Tensor y = at::glu(h + bias_in_, -1);
  y = y.masked_fill(frames.valid.logical_not().unsqueeze(2), 0);
  y = depthwise_convolution(y, weight_depthwise_, bias_depthwise_);
  return activate(at::layer_norm(y, {y.size(-1)}, norm_weight_, norm_bias_, 1e-5), activation_);
}

ConformerLayer::ConformerLayer(const Scope& scope, const ConformerConfig& config,
                               const Axis& residual, const Axis& frequencies)
    : Module(scope),
      feed_forward1_(scope / "feed_forward1", config, residual),
      attention_(scope / "attention", config, residual, frequencies),
      convolution_(scope / "convolution", config, residual),
      feed_forward2_(scope / "feed_forward2", config, residual),
      norm_(scope / "norm", residual) {}

at::Tensor ConformerLayer::forward(const at::Tensor& x, const EncoderFrames& frames,
                                   const Context& context) const {
  at::Tensor y = feed_forward1_.forward(x, context);
  y = attention_.forward(y, frames, context);
  y = convolution_.forward(y, frames, context);
  y = norm_.forward(feed_forward2_.forward(y, context));
  context.show(place(), y);
  return y;
}

ConformerEncoder::ConformerEncoder(const Scope& scope, const ConformerConfig& config, int64_t bins)
    : Module(scope),
      config_(config),
      residual_(leaf("residual", config.width)),
      frequencies_axis_(leaf("frequencies", config.width / 2)),
      subsampling_(scope / "subsampling", bins, config.subsampling_channels, config.subsampling,
                   residual_) {
  if (config.positions == "sinusoid") {
    frequencies_ = buffer("frequencies", {frequencies_axis_}, init::zero);
    const at::Tensor exponents = at::arange(0, config.width, 2, at::kDouble) / config.width;
    frequencies_.copy_(at::exp(exponents * -std::log(10000.0)));
  }
  scope.declare_stack("layers", config.layers);
  for (int64_t i = 0; i < config.layers; ++i)
    layers_.emplace_back(scope.layer("layers", i), config, residual_, frequencies_axis_);
}

EncoderFrames ConformerEncoder::prepare_frames(const at::Tensor& lengths, int64_t frames) const {
  EncoderFrames shared;
  shared.lengths = lengths;
  shared.valid = valid_frames(lengths, frames);
  if (config_.positions == "bias") return shared;
  const at::Tensor distance = at::arange(frames - 1, -frames, -1, frequencies_.options());
  const at::Tensor angle = distance.unsqueeze(1) * frequencies_.unsqueeze(0);
  shared.sinusoids = at::stack({angle.sin(), angle.cos()}, 2).flatten(1);
  return shared;
}

at::Tensor ConformerEncoder::forward(const at::Tensor& features, const at::Tensor& encoder_lengths,
                                     const Context& context) const {
  at::Tensor x =
      dropout(subsampling_.forward(features, encoder_lengths, context), config_.dropout, context);
  const EncoderFrames frames = prepare_frames(encoder_lengths, x.size(1));
  for (const ConformerLayer& layer : layers_) x = layer.forward(x, frames, context);
  return x;
}

}  // namespace scion
