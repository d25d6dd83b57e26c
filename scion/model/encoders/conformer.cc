#include "scion/model/encoders/conformer.h"

#include "scion/core/error.h"
#include "scion/nn/operators/attention_scores.h"
#include "scion/nn/operators/depthwise.h"
#include "scion/nn/operators/time_blocks.h"

namespace scion {
namespace {

ConvolutionReach reach_of(const ConformerConfig& config) {
  return {.causal = config.convolution == ConvolutionKind::causal,
          .chunk = config.convolution == ConvolutionKind::chunked ? config.chunk : 0};
}

// (past + future + 1, width) for the distances past … −future; undefined with learnt biases.
at::Tensor sinusoids(const at::Tensor& frequencies, int64_t past, int64_t future) {
  if (!frequencies.defined()) return {};
  const at::Tensor distance = at::arange(past, -future - 1, -1, frequencies.options());
  const at::Tensor angle = distance.unsqueeze(1) * frequencies.unsqueeze(0);
  return at::stack({angle.sin(), angle.cos()}, 2).flatten(1);
}

int64_t round_up(int64_t count, int64_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

}  // namespace

FeedForward::FeedForward(const Scope& scope, const ConformerConfig& config, const Axis& residual)
    : Module(scope),
      activation_(config.activation),
      dropout_(config.dropout),
      norm_(make_layer_norm("norm", residual)) {
  const Axis hidden = leaf("hidden", config.feed_forward);
  linear1_ = make_linear("linear1", hidden, residual, config.biases);
  linear2_ = make_linear("linear2", residual, hidden, config.biases);
}

at::Tensor FeedForward::forward(const at::Tensor& x, const ForwardContext& context) const {
  const int64_t frames = block_frames(x, 2 * linear1_.bias.size(0), context);
  const at::Tensor none = at::zeros({x.size(0)}, at::kLong);  // every frame by itself
  const at::Tensor y = in_time_blocks(x, none, {}, frames, [&](const at::Tensor& block, auto&) {
    at::Tensor inner = norm_linear(block, norm_, linear1_, context);
    inner = activate_with_bias(inner, linear1_.bias, activation_, dropout_, context);
    return add_linear(block, inner, linear2_, 0.5, dropout_, context);
  });
  context.show(place(), y);
  return y;
}

Attention::Attention(const Scope& scope, const ConformerConfig& config, const Axis& residual,
                     const Axis& frequencies)
    : Module(scope),
      heads_(config.heads),
      dropout_(config.dropout),
      span_{config.chunk, config.left_context},
      norm_(make_layer_norm("norm", residual)) {
  const Axis heads = leaf("heads", heads_, Axis::Role::heads);
  const Axis query = Axis::product(heads, leaf("query", config.head_width, Axis::Role::scaled_dot));
  const Axis value = Axis::product(heads, leaf("value", config.head_width));
  const Axis stacked = Axis::concat({query, query, value});
  in_ = make_linear("in", stacked, residual, config.biases);
  out_ = make_linear("out", residual, value, config.biases);
  if (config.positions == RelativePositions::bias) {
    const Axis distances = taps("distances", 2 * config.position_range + 1, Axis::Anchor::zero);
    position_bias_ = parameter("position_bias", {heads, distances}, init::zero);
  } else {
    const Axis pairs = Axis::product(frequencies, Axis::fixed(2));
    position_.weight = parameter("position.weight", {query, pairs}, init::weight);
    content_offset_ = parameter("content_offset", {query}, init::zero);
    position_offset_ = parameter("position_offset", {query}, init::zero);
  }
}

bool Attention::is_long(const at::Tensor& x, const ForwardContext& context) const {
  if (!context.may_compute_in_blocks()) return false;
  const int64_t frames = x.size(1);
  if (span_.chunk == 0 && !x.is_cpu()) return false;
  const int64_t utterances = span_.chunk == 0 ? 1 : x.size(0);
  return frames > span_.chunk &&
         2 * frames * frames > context.working_bytes / (4 * heads_ * utterances);
}

at::Tensor Attention::forward(const at::Tensor& x, const EncoderFrames& frames,
                              const ForwardContext& context) const {
  at::Tensor y;
  if (!is_long(x, context))
    y = attend_whole(x, frames, context);
  else if (span_.chunk > 0)
    y = attend_chunks(x, frames, context);
  else
    y = attend_bands(x, frames, context);
  context.show(place(), y);
  return y;
}

at::Tensor Attention::attend_whole(const at::Tensor& x, const EncoderFrames& frames,
                                   const ForwardContext& context) const {
  const at::Tensor h = norm_linear(x, norm_, in_, context);
  const at::Tensor heads =
      position_bias_.defined()
          ? relative_attention(h, in_.bias, position_bias_, frames.lengths, span_, dropout_,
                               context)
          : sinusoid_attention(h, in_.bias, linear(frames.sinusoids, position_, context),
                               content_offset_, position_offset_, heads_, frames.lengths, span_,
                               dropout_, context);
  return add_linear(x, heads, out_, 1, dropout_, context);
}

at::Tensor Attention::attend_chunks(const at::Tensor& x, const EncoderFrames& frames,
                                    const ForwardContext& context) const {
  const BlockReach reach{round_up(span_.left, span_.chunk), 0, span_.chunk};
  // As many queries as frames before them: scores are at most 3/4 seen.
  const int64_t most = block_frames(x, 8 * heads_ * (reach.past + span_.chunk), context);
  const int64_t step = std::min(most, reach.past + span_.chunk);
  return in_time_blocks(
      x, frames.lengths, reach, step, [&](const at::Tensor& block, const at::Tensor& lengths) {
        const int64_t last = block.size(1) - 1;
        return attend_whole(
            block, {lengths, frames.frequencies, sinusoids(frames.frequencies, last, last)},
            context);
      });
}

at::Tensor Attention::attend_bands(const at::Tensor& x, const EncoderFrames& frames,
                                   const ForwardContext& context) const {
  const int64_t width = in_.bias.size(0) / (3 * heads_);
  at::Tensor heads;
  for (int64_t head = 0; head < heads_; ++head) {
    const at::Tensor own = attend_head(x, head, frames, context);
    if (!heads.defined()) heads = at::empty({x.size(0), x.size(1), heads_ * width}, own.options());
    heads.slice(2, head * width, (head + 1) * width).copy_(own);
  }
  const int64_t step = block_frames(x, 2 * x.size(2), context);
  at::Tensor y = at::empty_like(x);
  for (int64_t begin = 0; begin < x.size(1); begin += step) {
    const auto block = [&](const at::Tensor& all) {
      return all.slice(1, begin, std::min(begin + step, x.size(1)));
    };
    block(y).copy_(add_linear(block(x), block(heads), out_, 1, dropout_, context));
  }
  return y;
}

// The head's rows of a stacked parameter: queries, keys, values.
static at::Tensor rows_of_head(const at::Tensor& stacked, int64_t head, int64_t heads) {
  std::vector<int64_t> shape = stacked.sizes().vec();
  shape[0] /= heads;
  return stacked.view({3, heads, -1}).select(1, head).reshape(shape);
}

at::Tensor Attention::attend_head(const at::Tensor& x, int64_t head, const EncoderFrames& frames,
                                  const ForwardContext& context) const {
  const Linear in{rows_of_head(in_.weight, head, heads_), rows_of_head(in_.bias, head, heads_)};
  const int64_t width = in.bias.size(0) / 3;
  const int64_t step = block_frames(x, 4 * x.size(2), context);
  const at::Tensor h = in_time_blocks(
      x, frames.lengths, {}, step,
      [&](const at::Tensor& block, auto&) { return norm_linear(block, norm_, in, context); });
  if (position_bias_.defined())
    return attend_long(h, in.bias, position_bias_[head], frames.lengths);
  const auto of_head = [&](const at::Tensor& offsets) {
    return offsets.slice(0, head * width, (head + 1) * width);
  };
  const at::Tensor content = of_head(content_offset_);
  return attend_long_positions(h, in.bias + at::constant_pad_nd(content, {0, 2 * width}),
                               of_head(position_offset_) - content,
                               head_positions(head, x.size(1), frames.frequencies, context),
                               frames.lengths);
}

LongPositions Attention::head_positions(int64_t head, int64_t frames, const at::Tensor& frequencies,
                                        const ForwardContext& context) const {
  const int64_t width = in_.bias.size(0) / (3 * heads_), last = frames - 1;
  const Linear position{position_.weight.slice(0, head * width, (head + 1) * width), {}};
  const int64_t step = std::max<int64_t>(
      1, context.working_bytes / (16 * static_cast<int64_t>(sizeof(float)) * frequencies.size(0)));
  LongPositions positions(width, frames);
  for (int64_t past = last; past >= -last; past -= step) {
    const int64_t future = std::min(last, step - 1 - past);
    positions.set(last - past, linear(sinusoids(frequencies, past, future), position, context));
  }
  return positions;
}

AttentionHistory Attention::start() const {
  const int64_t width = in_.bias.size(0) / (3 * heads_);
  const at::Tensor nothing = at::empty({1, heads_, 0, width}, in_.bias.options()).detach();
  return {nothing, nothing};
}

at::Tensor Attention::step(const at::Tensor& x, AttentionHistory& history,
                           const at::Tensor& sinusoids, const ForwardContext& context) const {
  const at::Tensor h = norm_linear(x, norm_, in_, context);
  const AttentionHeads heads = split_heads(h + in_.bias, heads_);
  const at::Tensor key = at::cat({history.key, heads.key}, 2);
  const at::Tensor value = at::cat({history.value, heads.value}, 2);
  const at::Tensor scores =
      position_bias_.defined()
          ? relative_scores(heads.query, key, position_bias_)
          : sinusoid_scores(heads.query, key, linear(sinusoids, position_, context),
                            content_offset_, position_offset_);
  const int64_t forgotten = std::max<int64_t>(0, key.size(2) - span_.left);
  history = {key.slice(2, forgotten).clone(), value.slice(2, forgotten).clone()};
  return add_linear(x, attend(scores, value, 0, context), out_, 1, 0, context);
}

ConvolutionModule::ConvolutionModule(const Scope& scope, const ConformerConfig& config,
                                     const Axis& residual)
    : Module(scope),
      activation_(config.activation),
      dropout_(config.dropout),
      norm_(make_layer_norm("norm", residual)) {
  const Axis channels = leaf("channels", residual.size());
  const Axis gated = Axis::concat({channels, channels});
  const ConvolutionReach reach = reach_of(config);
  const Axis kernel =
      taps("taps", config.kernel, reach.causal ? Axis::Anchor::newest : Axis::Anchor::centre);
  in_ = make_linear("pointwise1", gated, residual, config.biases);
  depthwise_ = make_convolution("depthwise", channels, kernel, reach, config.biases);
  const LayerNorm norm = make_layer_norm("convolution_norm", channels);
  if (config.convolution_norm == ConvolutionNorm::batch) {
    const at::Tensor mean = buffer("convolution_norm.running_mean", {channels}, init::zero);
    convolution_norm_ =
        BatchNorm{norm.weight, norm.bias, mean,
                  buffer("convolution_norm.running_variance", {channels}, init::one)};
  } else {
    convolution_norm_ = norm;
  }
  out_ = make_linear("pointwise2", residual, channels, config.biases);
}

at::Tensor ConvolutionModule::forward(const at::Tensor& x, const EncoderFrames& frames,
                                      const ForwardContext& context) const {
  const int64_t multiple = std::max<int64_t>(1, depthwise_.reach.chunk);
  const int64_t reach = round_up(depthwise_.taps(), multiple);
  const auto forward = [&](const at::Tensor& block, const at::Tensor& lengths) {
    const at::Tensor h = norm_linear(block, norm_, in_, context);
    const auto convolve = [&](const auto& norm) {
      return gated_convolution(h, in_.bias, depthwise_, lengths, norm, activation_, context);
    };
    const at::Tensor inner = std::visit(convolve, convolution_norm_);
    return add_linear(block, inner, out_, 1, dropout_, context);
  };
  const at::Tensor y = in_time_blocks(x, frames.lengths, {reach, reach, multiple},
                                      block_frames(x, 6 * x.size(2), context), forward);
  context.show(place(), y);
  return y;
}

at::Tensor ConvolutionModule::start() const {
  const int64_t past = depthwise_.reach.past(depthwise_.taps());
  return at::zeros({1, past, depthwise_.channels()}, in_.bias.options()).detach();
}

at::Tensor ConvolutionModule::step(const at::Tensor& x, at::Tensor& history,
                                   const ForwardContext& context) const {
  const at::Tensor h = norm_linear(x, norm_, in_, context);
  const at::Tensor gated = at::cat({history, at::glu(h + in_.bias, -1)}, 1);
  const at::Tensor y = depthwise_convolution_step(gated, depthwise_);
  history = gated.slice(1, gated.size(1) - history.size(1)).clone();
  const auto* batch_norm = std::get_if<BatchNorm>(&convolution_norm_);
  const at::Tensor normalised = batch_norm != nullptr
                                    ? masked_batch_norm(y, {}, *batch_norm, context)
                                    : layer_norm(y, std::get<LayerNorm>(convolution_norm_));
  return add_linear(x, activate(normalised, activation_), out_, 1, 0, context);
}

ConformerLayer::ConformerLayer(const Scope& scope, const ConformerConfig& config,
                               const Axis& residual, const Axis& frequencies)
    : Module(scope),
      feed_forward1_(scope / "feed_forward1", config, residual),
      attention_(scope / "attention", config, residual, frequencies),
      convolution_(scope / "convolution", config, residual),
      feed_forward2_(scope / "feed_forward2", config, residual),
      norm_(make_layer_norm("norm", residual)) {}

at::Tensor ConformerLayer::forward(at::Tensor x, const EncoderFrames& frames,
                                   const ForwardContext& context) const {
  x = feed_forward1_.forward(x, context);
  x = attention_.forward(x, frames, context);
  x = convolution_.forward(x, frames, context);
  x = feed_forward2_.forward(x, context);
  x = layer_norm(x, norm_, context);
  context.show(place(), x);
  return x;
}

at::Tensor ConformerLayer::step(const at::Tensor& x, ConformerHistory& history,
                                const at::Tensor& sinusoids, const ForwardContext& context) const {
  at::Tensor y = feed_forward1_.forward(x, context);
  y = attention_.step(y, history.attention, sinusoids, context);
  y = convolution_.step(y, history.convolution, context);
  return layer_norm(feed_forward2_.forward(y, context), norm_);
}

ConformerEncoder::ConformerEncoder(const Scope& scope, const ConformerConfig& config, int64_t bins)
    : Encoder(scope),
      config_(config),
      residual_(leaf("residual", config.width)),
      frequencies_axis_(leaf("frequencies", config.width / 2)) {
  subsampling_ = make_subsampling(scope / "subsampling", bins,
                                  {config.subsampling, config.subsampling_channels,
                                   config.subsampling_kind, config.causal_subsampling},
                                  residual_);
  if (config.positions == RelativePositions::sinusoid) {
    frequencies_ = buffer("frequencies", {frequencies_axis_}, init::position_table);
    const at::Tensor exponents = at::arange(0, config.width, 2, at::kDouble) / config.width;
    frequencies_.copy_(at::exp(exponents * -std::log(10000.0)));
  }
  scope.declare_stack("layers", config.layers);
  for (int64_t i = 0; i < config.layers; ++i)
    layers_.emplace_back(scope.layer("layers", i), config, residual_, frequencies_axis_);
}

EncoderFrames ConformerEncoder::prepare_frames(const at::Tensor& x, const at::Tensor& lengths,
                                               const ForwardContext& context) const {
  const int64_t last = x.size(1) - 1;
  EncoderFrames frames{lengths, frequencies_, {}};
  if (!layers_.front().is_long(x, context)) frames.sinusoids = sinusoids(frequencies_, last, last);
  return frames;
}

at::Tensor ConformerEncoder::scaled(const at::Tensor& x) const {
  return config_.input_scaling ? x * std::sqrt(static_cast<double>(config_.squared_input_scale()))
                               : x;
}

at::Tensor ConformerEncoder::forward(at::Tensor x, const at::Tensor& lengths,
                                     const ForwardContext& context) const {
  x = dropout(scaled(x), config_.dropout, context);
  const EncoderFrames frames = prepare_frames(x, lengths, context);
  for (const ConformerLayer& layer : layers_) x = layer.forward(std::move(x), frames, context);
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
    const at::Tensor positions = sinusoids(encoder_.frequencies_, before + frames - 1, frames - 1);
    at::Tensor x = encoder_.scaled(chunk);
    for (size_t i = 0; i < histories_.size(); ++i)
      x = encoder_.layers_[i].step(x, histories_[i], positions, context_);
    return x;
  }

  const ConformerEncoder& encoder_;
  ForwardContext context_;
  std::vector<ConformerHistory> histories_;
};

std::unique_ptr<EncoderStream> ConformerEncoder::stream(const ForwardContext& context) const {
  if (config_.chunk == 0 || config_.convolution == ConvolutionKind::centred)
    throw UserError(
        fmt::format("an encoder with chunk = {} and a {} convolution cannot stream", config_.chunk,
                    word_of(config_.convolution)),
        "train one with model.conformer.chunk > 0 and a causal or chunked convolution; presets "
        "that end in -streaming have both");
  return std::make_unique<Stream>(*this, context);
}

std::unique_ptr<Encoder> make_encoder(const Scope& scope, const ConformerConfig& config,
                                      int64_t bins) {
  return std::make_unique<ConformerEncoder>(scope, config, bins);
}

}  // namespace scion
