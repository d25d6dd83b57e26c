#include "scion/model/encoders/conformer.h"

#include "scion/core/error.h"
#include "scion/nn/attention_scores.h"
#include "scion/nn/observer.h"

namespace scion {

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

at::Tensor FeedForward::forward(const at::Tensor& x, const ForwardContext& context) const {
  if (context.inputs) context.inputs->linear({{weight1_}, bias1_}, norm_.forward(x));
  at::Tensor y = norm_linear(x, norm_.weight(), norm_.bias(), weight1_, context);
  y = activate_with_bias(y, bias1_, activation_, dropout_, context);
  if (context.inputs)
    context.inputs->linear({.weights = {weight2_}, .bias = bias2_, .residual = x, .scale = 0.5}, y);
  y = add_linear(x, y, weight2_, bias2_, 0.5, dropout_, context);
  context.show(place(), y);
  return y;
}

Attention::Attention(const Scope& scope, const ConformerConfig& config, const Axis& residual,
                     const Axis& frequencies)
    : Module(scope),
      heads_(config.heads),
      dropout_(config.dropout),
      span_{config.chunk, config.left_context},
      norm_(scope / "norm", residual) {
  const Axis heads = leaf("heads", heads_, Axis::Role::heads);
  const Axis query = Axis::product(heads, leaf("query", config.head_width, Axis::Role::scaled_dot));
  const Axis value = Axis::product(heads, leaf("value", config.head_width));
  const Axis stacked = Axis::concat({query, query, value});
  weight_in_ = parameter("in.weight", {stacked, residual}, init::weight);
  bias_in_ = parameter("in.bias", {stacked}, init::bias(residual.size()));
  weight_out_ = parameter("out.weight", {residual, value}, init::weight);
  bias_out_ = parameter("out.bias", {residual}, init::bias(value.size()));
  if (config.positions == "bias") {
    const Axis distances = taps("distances", 2 * config.position_range + 1, Axis::Anchor::zero);
    position_bias_ = parameter("position_bias", {heads, distances}, init::zero);
  } else {
    const Axis pairs = Axis::product(frequencies, Axis::fixed(2));
    position_weight_ = parameter("position.weight", {query, pairs}, init::weight);
    content_offset_ = parameter("content_offset", {query}, init::zero);
    position_offset_ = parameter("position_offset", {query}, init::zero);
  }
}

at::Tensor Attention::forward(const at::Tensor& x, const EncoderFrames& frames,
                              const ForwardContext& context) const {
  if (context.inputs) {
    context.inputs->linear({{weight_in_}, bias_in_}, norm_.forward(x));
    if (position_weight_.defined())
      context.inputs->linear({{position_weight_}, {}}, frames.sinusoids);
  }
  const at::Tensor h = norm_linear(x, norm_.weight(), norm_.bias(), weight_in_, context);
  const at::Tensor heads =
      position_bias_.defined()
          ? relative_attention(h, bias_in_, position_bias_, frames.lengths, span_, dropout_,
                               context)
          : sinusoid_attention(h, bias_in_, linear(frames.sinusoids, position_weight_, {}, context),
                               content_offset_, position_offset_, heads_, frames.lengths, span_,
                               dropout_, context);
  if (context.inputs)
    context.inputs->linear({.weights = {weight_out_}, .bias = bias_out_, .residual = x}, heads);
  const at::Tensor y = add_linear(x, heads, weight_out_, bias_out_, 1, dropout_, context);
  context.show(place(), y);
  return y;
}

AttentionHistory Attention::start() const {
  const int64_t width = bias_in_.size(0) / (3 * heads_);
  const at::Tensor nothing = at::empty({1, heads_, 0, width}, bias_in_.options()).detach();
  return {nothing, nothing};
}

at::Tensor Attention::step(const at::Tensor& x, AttentionHistory& history,
                           const at::Tensor& sinusoids, const ForwardContext& context) const {
  const at::Tensor h = norm_linear(x, norm_.weight(), norm_.bias(), weight_in_, context);
  const AttentionHeads heads = split_heads(h + bias_in_, heads_);
  const at::Tensor key = at::cat({history.key, heads.key}, 2);
  const at::Tensor value = at::cat({history.value, heads.value}, 2);
  const at::Tensor scores =
      position_bias_.defined()
          ? relative_scores(heads.query, key, position_bias_)
          : sinusoid_scores(heads.query, key, linear(sinusoids, position_weight_, {}, context),
                            content_offset_, position_offset_);
  const int64_t forgotten = std::max<int64_t>(0, key.size(2) - span_.left);
  history = {key.slice(2, forgotten).clone(), value.slice(2, forgotten).clone()};
  return add_linear(x, attend(scores, value, 0, context), weight_out_, bias_out_, 1, 0, context);
}

static ConvolutionReach reach_of(const ConformerConfig& config) {
  return {.causal = config.convolution == "causal",
          .chunk = config.convolution == "chunked" ? config.chunk : 0};
}

ConvolutionModule::ConvolutionModule(const Scope& scope, const ConformerConfig& config,
                                     const Axis& residual)
    : Module(scope),
      activation_(config.activation),
      batch_norm_(config.convolution_norm == "batch"),
      reach_(reach_of(config)),
      dropout_(config.dropout),
      norm_(scope / "norm", residual) {
  const Axis channels = leaf("channels", residual.size());
  const Axis gated = Axis::concat({channels, channels});
  const Axis kernel =
      taps("taps", config.kernel, reach_.causal ? Axis::Anchor::newest : Axis::Anchor::centre);
  weight_in_ = parameter("pointwise1.weight", {gated, residual}, init::weight);
  bias_in_ = parameter("pointwise1.bias", {gated}, init::bias(residual.size()));
  weight_depthwise_ =
      parameter("depthwise.weight", {channels, Axis::fixed(1), kernel}, init::weight);
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
                                      const ForwardContext& context) const {
  const at::Tensor h = norm_linear(x, norm_.weight(), norm_.bias(), weight_in_, context);
  if (context.inputs) show_inputs(x, h, frames, *context.inputs);
  const at::Tensor inner =
      batch_norm_
          ? gated_convolution(h, bias_in_, weight_depthwise_, bias_depthwise_, frames.lengths,
                              reach_, {norm_weight_, norm_bias_, running_mean_, running_variance_},
                              activation_, context)
          : convolve_with_layer_norm(h, frames);
  if (context.inputs)
    context.inputs->linear({.weights = {weight_out_}, .bias = bias_out_, .residual = x}, inner);
  const at::Tensor y = add_linear(x, inner, weight_out_, bias_out_, 1, dropout_, context);
  context.show(place(), y);
  return y;
}

void ConvolutionModule::show_inputs(const at::Tensor& x, const at::Tensor& h,
                                    const EncoderFrames& frames, InputObserver& observer) const {
  observer.linear({{weight_in_}, bias_in_}, norm_.forward(x));
  const at::Tensor gated = gate(h, frames);
  observer.linear({{weight_depthwise_}, bias_depthwise_, true},
                  depthwise_patches(gated, weight_depthwise_.size(2), reach_));
  const at::Tensor y = depthwise_convolution(gated, weight_depthwise_, bias_depthwise_, reach_);
  if (batch_norm_)
    observer.batch_norm(running_mean_, running_variance_, y);
  else
    show_layer_scale(norm_weight_, norm_bias_, y, observer);
}

at::Tensor ConvolutionModule::gate(const at::Tensor& h, const EncoderFrames& frames) const {
  return at::glu(h + bias_in_, -1).masked_fill(frames.valid.logical_not().unsqueeze(2), 0);
}

at::Tensor ConvolutionModule::convolve_with_layer_norm(const at::Tensor& h,
                                                       const EncoderFrames& frames) const {
  return layer_norm(
      depthwise_convolution(gate(h, frames), weight_depthwise_, bias_depthwise_, reach_));
}

at::Tensor ConvolutionModule::layer_norm(const at::Tensor& y) const {
  return activate(at::layer_norm(y, {y.size(-1)}, norm_weight_, norm_bias_, 1e-5), activation_);
}

at::Tensor ConvolutionModule::start() const {
  const int64_t past = reach_.past(weight_depthwise_.size(2));
  return at::zeros({1, past, weight_depthwise_.size(0)}, bias_in_.options()).detach();
}

at::Tensor ConvolutionModule::step(const at::Tensor& x, at::Tensor& history,
                                   const ForwardContext& context) const {
  const at::Tensor h = norm_linear(x, norm_.weight(), norm_.bias(), weight_in_, context);
  const at::Tensor gated = at::cat({history, at::glu(h + bias_in_, -1)}, 1);
  const at::Tensor y =
      depthwise_convolution_step(gated, weight_depthwise_, bias_depthwise_, reach_);
  history = gated.slice(1, gated.size(1) - history.size(1)).clone();
  const BatchNorm norm{norm_weight_, norm_bias_, running_mean_, running_variance_};
  const at::Tensor inner =
      batch_norm_ ? activate(masked_batch_norm(y, {}, norm, context), activation_) : layer_norm(y);
  return add_linear(x, inner, weight_out_, bias_out_, 1, 0, context);
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
                                   const ForwardContext& context) const {
  at::Tensor y = feed_forward1_.forward(x, context);
  y = attention_.forward(y, frames, context);
  y = convolution_.forward(y, frames, context);
  y = norm_.forward(feed_forward2_.forward(y, context), context);
  context.show(place(), y);
  return y;
}

at::Tensor ConformerLayer::step(const at::Tensor& x, ConformerHistory& history,
                                const at::Tensor& sinusoids, const ForwardContext& context) const {
  at::Tensor y = feed_forward1_.forward(x, context);
  y = attention_.step(y, history.attention, sinusoids, context);
  y = convolution_.step(y, history.convolution, context);
  return norm_.forward(feed_forward2_.forward(y, context));
}

ConformerEncoder::ConformerEncoder(const Scope& scope, const ConformerConfig& config, int64_t bins)
    : Encoder(scope),
      config_(config),
      residual_(leaf("residual", config.width)),
      frequencies_axis_(leaf("frequencies", config.width / 2)) {
  subsampling_ = make_subsampling(scope / "subsampling", bins, config.subsampling_channels,
                                  config.subsampling, residual_);
  if (config.positions == "sinusoid") {
    frequencies_ = buffer("frequencies", {frequencies_axis_}, init::zero);
    const at::Tensor exponents = at::arange(0, config.width, 2, at::kDouble) / config.width;
    frequencies_.copy_(at::exp(exponents * -std::log(10000.0)));
  }
  scope.declare_stack("layers", config.layers);
  for (int64_t i = 0; i < config.layers; ++i)
    layers_.emplace_back(scope.layer("layers", i), config, residual_, frequencies_axis_);
}

at::Tensor ConformerEncoder::sinusoids(int64_t past, int64_t future) const {
  if (config_.positions == "bias") return {};
  const at::Tensor distance = at::arange(past, -future - 1, -1, frequencies_.options());
  const at::Tensor angle = distance.unsqueeze(1) * frequencies_.unsqueeze(0);
  return at::stack({angle.sin(), angle.cos()}, 2).flatten(1);
}

EncoderFrames ConformerEncoder::prepare_frames(const at::Tensor& lengths, int64_t frames) const {
  return {lengths, valid_frames(lengths, frames), sinusoids(frames - 1, frames - 1)};
}

at::Tensor ConformerEncoder::scaled(const at::Tensor& x) const {
  return config_.input_scaling ? x * std::sqrt(static_cast<double>(config_.width)) : x;
}

at::Tensor ConformerEncoder::forward(const at::Tensor& subsampled, const at::Tensor& lengths,
                                     const ForwardContext& context) const {
  at::Tensor x = dropout(scaled(subsampled), config_.dropout, context);
  const EncoderFrames frames = prepare_frames(lengths, x.size(1));
  for (const ConformerLayer& layer : layers_) x = layer.forward(x, frames, context);
  return x;
}

class ConformerEncoder::Stream : public EncoderStream {
 public:
  Stream(const ConformerEncoder& encoder, const ForwardContext& context)
      : encoder_(encoder), context_(context) {
    for (const ConformerLayer& layer : encoder.layers_) histories_.push_back(layer.start());
  }

  at::Tensor accept(const at::Tensor& x) override {
    std::vector<at::Tensor> outputs;
    for (const at::Tensor& chunk : x.split(encoder_.config_.chunk, 1))
      outputs.push_back(step(chunk));
    return at::cat(outputs, 1);
  }

 private:
  at::Tensor step(const at::Tensor& chunk) {
    const int64_t frames = chunk.size(1), before = histories_[0].attention.key.size(2);
    const at::Tensor sinusoids = encoder_.sinusoids(before + frames - 1, frames - 1);
    at::Tensor x = encoder_.scaled(chunk);
    for (size_t i = 0; i < histories_.size(); ++i)
      x = encoder_.layers_[i].step(x, histories_[i], sinusoids, context_);
    return x;
  }

  const ConformerEncoder& encoder_;
  ForwardContext context_;
  std::vector<ConformerHistory> histories_;
};

std::unique_ptr<EncoderStream> ConformerEncoder::stream(const ForwardContext& context) const {
  if (config_.chunk == 0 || config_.convolution == "centred")
    throw UserError(
        fmt::format("an encoder with chunk = {} and a {} convolution cannot stream", config_.chunk,
                    config_.convolution),
        "train one with model.conformer.chunk > 0 and a causal or chunked convolution; presets "
        "that end in -streaming have both");
  return std::make_unique<Stream>(*this, context);
}

}  // namespace scion
