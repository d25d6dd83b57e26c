#include "scion/nn/operators/functional.h"

#include "scion/core/device.h"
#include "scion/nn/cpu/kernels.h"
#include "scion/nn/operators/composed.h"
#include "scion/nn/operators/depthwise.h"
#include "scion/nn/operators/fused.h"
#include "scion/nn/operators/observer.h"
#include "scion/nn/operators/on_device.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor apply_dropout(const at::Tensor& x, uint64_t key, double rate) {
  const at::Tensor contiguous = x.contiguous();
  at::Tensor y = at::empty_like(contiguous);
  const float* from = contiguous.const_data_ptr<float>();
  float* to = y.mutable_data_ptr<float>();
  at::parallel_for(0, x.numel(), 1 << 16, [&](int64_t begin, int64_t end) {
    model_kernels().plain.dropout(from + begin, {key, rate, begin}, end - begin, to + begin);
  });
  return y;
}

class Dropout : public Function<Dropout> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, int64_t key,
                            double rate) {
    context->saved_data["key"] = key;
    context->saved_data["rate"] = rate;
    return apply_dropout(x, static_cast<uint64_t>(key), rate);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto key = static_cast<uint64_t>(context->saved_data["key"].toInt());
    return {apply_dropout(gradients[0], key, context->saved_data["rate"].toDouble()), at::Tensor(),
            at::Tensor()};
  }
};

// Scale and shift as the depthwise map that they are, of x normalised.
void show_scale(const at::Tensor& x, const LayerNorm& norm, InputObserver& observer) {
  observer.linear({{norm.weight}, norm.bias, true}, at::layer_norm(x, {x.size(-1)}).unsqueeze(-1));
}

void show_depthwise(const at::Tensor& x, const Convolution& convolution, InputObserver& observer) {
  observer.linear({{convolution.weight}, convolution.bias, true},
                  depthwise_patches(x, convolution));
}

// The inputs of each output pixel: x (B, C, H, W) → (B, pixels, C · kernel²).
at::Tensor image_patches(const at::Tensor& x, const ImageConvolution& convolution) {
  const int64_t kernel = convolution.kernel(), stride = convolution.stride;
  if (kernel == 1 && stride == 1) return x.flatten(2).transpose(1, 2);
  const int64_t padding = convolution.padding;
  return at::im2col(x, {kernel, kernel}, {1, 1}, {padding, padding}, {stride, stride})
      .transpose(1, 2);
}

void show_image(const at::Tensor& x, const ImageConvolution& convolution, InputObserver& observer) {
  at::Tensor patches = image_patches(x, convolution);
  if (convolution.depthwise) patches = patches.unflatten(2, {x.size(1), -1});
  observer.linear({{convolution.weight}, convolution.bias, convolution.depthwise}, patches);
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const Linear& map, const ForwardContext& context) {
  if (context.inputs) context.inputs->linear({{map.weight}, map.bias}, x);
  return composed::linear(x, map, context);
}

at::Tensor image_linear(const at::Tensor& x, const Linear& map, const ForwardContext& context) {
  if (context.inputs)
    context.inputs->linear({{map.weight}, map.bias}, x.transpose(2, 3).flatten(2));
  const at::Tensor weight =
      map.weight.view({map.weight.size(0), x.size(3), x.size(2)}).transpose(1, 2);
  return composed::linear(x.flatten(2), {weight.flatten(1), map.bias}, context);
}

at::Tensor layer_norm(const at::Tensor& x, const LayerNorm& norm) {
  return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, 1e-5);
}

at::Tensor layer_norm(const at::Tensor& x, const LayerNorm& norm, const ForwardContext& context) {
  if (context.inputs) show_scale(x, norm, *context.inputs);
  return layer_norm(x, norm);
}

at::Tensor dropout(const at::Tensor& x, double rate, const ForwardContext& context) {
  if (!context.training() || rate == 0) return x;
  if (const ModelDevice* device = find_model_device(x))
    return on_device::dropout(*device, x, rate, context);
  return Dropout::apply(x, static_cast<int64_t>(context.next_dropout_key()), rate);
}

at::Tensor activate(const at::Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return at::relu(x);
    case Activation::swish:
      return at::silu(x);
  }
  return x;
}

at::Tensor valid_frames(const at::Tensor& lengths, int64_t frames) {
  return at::arange(frames, lengths.options()).unsqueeze(0) < lengths.unsqueeze(1);
}

at::Tensor normalise_utterances(const at::Tensor& features, const at::Tensor& lengths) {
  const auto over = [&](int64_t less) {
    return (lengths - less).clamp_min(1).view({-1, 1, 1}).to(features.dtype());
  };
  const at::Tensor mask = valid_frames(lengths, features.size(1)).unsqueeze(2).to(features.dtype());
  const at::Tensor mean = (features * mask).sum(1, true) / over(0);
  const at::Tensor variance = ((features - mean).square() * mask).sum(1, true) / over(1);
  return (features - mean) / (variance.sqrt() + 1e-5);
}

UtteranceStatistics utterance_statistics(const at::Tensor& features, const at::Tensor& lengths,
                                         int64_t block) {
  const int64_t frames = features.size(1);
  const auto sum_of = [&](const auto& f) {
    at::Tensor sum =
        at::zeros({features.size(0), 1, features.size(2)}, features.options().dtype(at::kDouble));
    for (int64_t begin = 0; begin < frames; begin += block) {
      const at::Tensor x = features.slice(1, begin, std::min(begin + block, frames));
      const at::Tensor valid = valid_frames(lengths - begin, x.size(1)).unsqueeze(2);
      sum += at::where(valid, f(x), 0).sum(1, true, at::kDouble);
    }
    return sum;
  };
  const auto over = [&](int64_t less) { return (lengths - less).clamp_min(1).view({-1, 1, 1}); };
  const at::Tensor mean =
      (sum_of([](const at::Tensor& x) { return x; }) / over(0)).to(features.dtype());
  const at::Tensor variance =
      sum_of([&](const at::Tensor& x) { return (x - mean).square(); }) / over(1);
  return {mean, (variance.sqrt() + 1e-5).to(features.dtype())};
}

at::Tensor masked_batch_norm(const at::Tensor& x, const at::Tensor& valid, const BatchNorm& norm,
                             const ForwardContext& context) {
  constexpr double epsilon = 1e-5;
  at::Tensor mean = norm.running_mean, variance = norm.running_variance;
  if (context.training()) {
    const at::Tensor mask = valid.unsqueeze(2).to(x.scalar_type());
    const at::Tensor count = mask.sum();
    const std::vector<int64_t> frames = {0, 1};
    mean = (x * mask).sum(frames) / count;
    variance = ((x - mean).square() * mask).sum(frames) / count;
    const at::NoGradGuard no_grad;
    norm.running_mean.lerp_(mean.detach(), context.batch_norm_momentum);
    norm.running_variance.lerp_(variance.detach() * (count / (count - 1).clamp_min(1)),
                                context.batch_norm_momentum);
  }
  return (x - mean) * (norm.weight * (variance + epsilon).rsqrt()) + norm.bias;
}

at::Tensor norm_linear(const at::Tensor& x, const LayerNorm& norm, const Linear& map,
                       const ForwardContext& context) {
  if (context.inputs) context.inputs->linear({{map.weight}, map.bias}, layer_norm(x, norm));
  if (const ModelDevice* device = find_model_device(x))
    return on_device::norm_linear(*device, x, norm, map, context);
  const auto form = x.is_cpu() ? fused::norm_linear : composed::norm_linear;
  return form(x, norm, map, context);
}

at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias, Activation activation,
                              double rate, const ForwardContext& context) {
  if (const ModelDevice* device = find_model_device(h))
    return on_device::activate_with_bias(*device, h, bias, activation, rate, context);
  const auto form = h.is_cpu() ? fused::activate_with_bias : composed::activate_with_bias;
  return form(h, bias, activation, rate, context);
}

at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const Linear& map, double scale,
                      double rate, const ForwardContext& context) {
  if (context.inputs)
    context.inputs->linear(
        {.weights = {map.weight}, .bias = map.bias, .residual = x, .scale = scale}, h);
  if (const ModelDevice* device = find_model_device(x))
    return on_device::add_linear(*device, x, h, map, scale, rate, context);
  const auto form = x.is_cpu() ? fused::add_linear : composed::add_linear;
  return form(x, h, map, scale, rate, context);
}

at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias,
                             const Convolution& convolution, const at::Tensor& lengths,
                             const BatchNorm& norm, Activation activation,
                             const ForwardContext& context) {
  if (context.inputs) {
    const at::Tensor gated = composed::gate(h, bias, valid_frames(lengths, h.size(1)));
    show_depthwise(gated, convolution, *context.inputs);
    context.inputs->batch_norm(norm.running_mean, norm.running_variance,
                               depthwise_convolution(gated, convolution));
  }
  if (const ModelDevice* device = find_model_device(h))
    return on_device::gated_convolution(*device, h, bias, convolution, lengths, norm, activation,
                                        context);
  const bool whole = convolution.reach.chunk == 0;
  const auto form = h.is_cpu() && whole ? fused::gated_convolution : composed::gated_convolution;
  return form(h, bias, convolution, lengths, norm, activation, context);
}

at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias,
                             const Convolution& convolution, const at::Tensor& lengths,
                             const LayerNorm& norm, Activation activation,
                             const ForwardContext& context) {
  const at::Tensor gated = composed::gate(h, bias, valid_frames(lengths, h.size(1)));
  if (context.inputs) show_depthwise(gated, convolution, *context.inputs);
  return activate(layer_norm(depthwise_convolution(gated, convolution), norm, context), activation);
}

at::Tensor relative_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& position_bias, const at::Tensor& lengths,
                              const AttentionSpan& span, double rate,
                              const ForwardContext& context) {
  if (const ModelDevice* device = find_model_device(h))
    return on_device::relative_attention(*device, h, bias, position_bias, lengths, span, rate,
                                         context);
  const auto form = h.is_cpu() ? fused::relative_attention : composed::relative_attention;
  return form(h, bias, position_bias, lengths, span, rate, context);
}

at::Tensor sinusoid_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& positions, const at::Tensor& content_offset,
                              const at::Tensor& position_offset, int64_t heads,
                              const at::Tensor& lengths, const AttentionSpan& span, double rate,
                              const ForwardContext& context) {
  if (const ModelDevice* device = find_model_device(h))
    return on_device::sinusoid_attention(*device, h, bias, positions, content_offset,
                                         position_offset, heads, lengths, span, rate, context);
  const auto form = h.is_cpu() ? fused::sinusoid_attention : composed::sinusoid_attention;
  return form(h, bias, positions, content_offset, position_offset, heads, lengths, span, rate,
              context);
}

at::Tensor convolve_image(const at::Tensor& x, const ImageConvolution& convolution,
                          const ForwardContext& context) {
  if (context.inputs) show_image(x, convolution, *context.inputs);
  const std::vector<int64_t> stride(2, convolution.stride), padding(2, convolution.padding),
      one(2, 1);
  return at::conv2d(x, convolution.weight, convolution.bias, stride, padding, one,
                    convolution.depthwise ? x.size(1) : 1);
}

at::Tensor subsample(const at::Tensor& features, const ImageConvolution& first,
                     const ImageConvolution& second, const at::Tensor& lengths,
                     const ForwardContext& context) {
  if (context.inputs) {
    const at::Tensor x = features.unsqueeze(1);
    show_image(x, first, *context.inputs);
    show_image(at::relu(at::conv2d(x, first.weight, first.bias, first.stride)), second,
               *context.inputs);
  }
  // The fused form has no gradient for the features.
  const bool fused_form = features.is_cpu() && !features.requires_grad();
  const auto form = fused_form ? fused::subsample : composed::subsample;
  return form(features, first, second, lengths);
}

at::Tensor mix_taps(const at::Tensor& x, const Convolution& convolution,
                    const ForwardContext& context) {
  const int64_t taps = convolution.taps(), frames = x.size(1) - taps + 1;
  if (context.inputs)
    context.inputs->linear({{convolution.weight}, convolution.bias, true}, x.unfold(1, taps, 1));
  at::Tensor y = convolution.bias;
  for (int64_t tap = 0; tap < taps; ++tap)
    y = y + x.slice(1, tap, tap + frames) * convolution.weight.select(2, tap).squeeze(1);
  return y;
}

// The weights as the library takes them, with two biases that it adds. cuDNN wants them in one
// piece of memory, and would otherwise gather them in every call, with a warning.
static std::vector<at::Tensor> library_weights(const LstmWeights& weights) {
  const at::Tensor none = at::zeros_like(weights.bias).detach();
  const std::vector<at::Tensor> all = {weights.input, weights.hidden, weights.bias, none};
  return weights.input.is_cpu() ? all : views_as(all, gathered(all));
}

at::Tensor lstm(const at::Tensor& x, const LstmWeights& weights, LstmState& state,
                const ForwardContext& context) {
  const std::vector<at::Tensor> before = {state.hidden.unsqueeze(0), state.cell.unsqueeze(0)};
  const std::vector<at::Tensor> all = library_weights(weights);
  // Without dropout `training` only makes cuDNN keep what the backward pass needs.
  const bool training = at::GradMode::is_enabled();
  const auto [y, hidden, cell] = at::lstm(x, before, all, true, 1, 0, training, false, true);
  if (context.inputs) {
    const at::Tensor previous =
        at::cat({state.hidden.unsqueeze(1), y.slice(1, 0, y.size(1) - 1)}, 1);
    context.inputs->linear(
        {.weights = {weights.input, weights.hidden}, .bias = weights.bias, .recurrent = true},
        at::cat({x, previous}, 2));
  }
  state = {hidden.squeeze(0), cell.squeeze(0)};
  return y;
}

}  // namespace scion
