#include "scion/nn/functional.h"

#include "scion/nn/composed.h"
#include "scion/nn/cpu/fused.h"
#include "scion/nn/cpu/kernels.h"

namespace scion {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Products in bfloat16 of float tensors. What the backward pass needs is kept in bfloat16.
class LinearBf16 : public Function<LinearBf16> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    const at::Tensor x16 = x.reshape({-1, x.size(-1)}).to(at::kBFloat16);
    const at::Tensor weight16 = weight.to(at::kBFloat16);
    context->save_for_backward({x16, weight16});
    context->saved_data["bias"] = bias.has_value();
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = weight.size(0);
    at::Tensor y = at::mm(x16, weight16.t()).to(at::kFloat);
    if (bias) y.add_(*bias);
    return y.view(shape);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x16 = saved[0], &weight16 = saved[1];
    const at::Tensor flat = gradients[0].reshape({-1, gradients[0].size(-1)});
    const at::Tensor flat16 = flat.to(at::kBFloat16);
    at::Tensor grad_x, grad_weight, grad_bias;
    if (context->needs_input_grad(0)) {
      std::vector<int64_t> shape = gradients[0].sizes().vec();
      shape.back() = weight16.size(1);
      grad_x = at::mm(flat16, weight16).to(at::kFloat).view(shape);
    }
    if (context->needs_input_grad(1)) grad_weight = at::mm(flat16.t(), x16).to(at::kFloat);
    if (context->saved_data["bias"].toBool()) grad_bias = flat.sum(0);
    return {grad_x, grad_weight, grad_bias};
  }
};

// The mask of kernels.inc on any device, from the same numbers.
at::Tensor kept_on_device(const at::Tensor& like, uint64_t key, double rate) {
  constexpr int64_t all = 0xFFFFFFFF;
  const auto mixed = [](at::Tensor x) {
    x = x.bitwise_xor(x.bitwise_right_shift(16)) * 0x7FEB352D & all;
    x = x.bitwise_xor(x.bitwise_right_shift(15)) * 0x846CA68B & all;
    return x.bitwise_xor(x.bitwise_right_shift(16));
  };
  const at::Tensor index = at::arange(like.numel(), like.options().dtype(at::kLong));
  const at::Tensor inner = mixed(index.bitwise_xor(static_cast<int64_t>(key & all)));
  const at::Tensor number = mixed((inner + static_cast<int64_t>(key >> 32)) & all);
  return (number >= static_cast<int64_t>(rate * 4294967296.0)).view(like.sizes());
}

at::Tensor apply_dropout(const at::Tensor& x, uint64_t key, double rate) {
  if (!x.is_cpu()) return x * kept_on_device(x, key, rate) / (1 - rate);
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

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  const ForwardContext& context) {
  // An undefined tensor may not be an input of a Function: no bias is no value.
  const auto given = bias.defined() ? std::optional<at::Tensor>(bias) : std::nullopt;
  if (context.bf16()) return LinearBf16::apply(x, weight, given);
  return at::linear(x, weight, bias);
}

at::Tensor dropout(const at::Tensor& x, double rate, const ForwardContext& context) {
  if (!context.training() || rate == 0) return x;
  return Dropout::apply(x, static_cast<int64_t>(context.next_dropout_key()), rate);
}

at::Tensor activate(const at::Tensor& x, const std::string& activation) {
  return activation == "relu" ? at::relu(x) : at::silu(x);
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

at::Tensor depthwise_convolution_step(const at::Tensor& x, const at::Tensor& weight,
                                      const at::Tensor& bias, const ConvolutionReach& reach) {
  const int64_t taps = weight.size(2), future = taps - 1 - reach.past(taps);
  const at::Tensor padded = at::constant_pad_nd(x.transpose(1, 2), {0, future});
  const std::vector<int64_t> one = {1}, no_padding = {0};
  return at::conv1d(padded, weight, bias, one, no_padding, one, weight.size(0)).transpose(1, 2);
}

// Every chunk with the frames before it as an utterance of its own; without chunks, whole ones:
// x (B, T, C) → (B · N, past + chunk, C).
static at::Tensor with_past(const at::Tensor& x, int64_t past, int64_t chunk) {
  if (chunk == 0) return at::constant_pad_nd(x, {0, 0, past, 0});
  const int64_t missing = (chunk - x.size(1) % chunk) % chunk;
  return at::constant_pad_nd(x, {0, 0, past, missing})
      .unfold(1, past + chunk, chunk)  // (B, N, C, past + chunk)
      .transpose(2, 3)
      .flatten(0, 1);
}

// The other way: y (B · N, chunk, …) → (B, T, …).
static at::Tensor joined(const at::Tensor& y, int64_t batch, int64_t frames) {
  std::vector<int64_t> shape = y.sizes().vec();
  shape[1] *= shape[0] / batch;
  shape[0] = batch;
  return y.reshape(shape).slice(1, 0, frames);
}

at::Tensor depthwise_convolution(const at::Tensor& x, const at::Tensor& weight,
                                 const at::Tensor& bias, const ConvolutionReach& reach) {
  const at::Tensor each = with_past(x, reach.past(weight.size(2)), reach.chunk);
  return joined(depthwise_convolution_step(each, weight, bias, reach), x.size(0), x.size(1));
}

at::Tensor depthwise_patches(const at::Tensor& x, int64_t taps, const ConvolutionReach& reach) {
  const int64_t past = reach.past(taps), future = taps - 1 - past;
  const at::Tensor each = at::constant_pad_nd(with_past(x, past, reach.chunk), {0, 0, 0, future});
  return joined(each.unfold(1, taps, 1), x.size(0), x.size(1));
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

at::Tensor norm_linear(const at::Tensor& x, const at::Tensor& norm_weight,
                       const at::Tensor& norm_bias, const at::Tensor& weight,
                       const ForwardContext& context) {
  const auto form = x.is_cpu() ? fused::norm_linear : composed::norm_linear;
  return form(x, norm_weight, norm_bias, weight, context);
}

at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias,
                              const std::string& activation, double rate,
                              const ForwardContext& context) {
  const auto form = h.is_cpu() ? fused::activate_with_bias : composed::activate_with_bias;
  return form(h, bias, activation, rate, context);
}

at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const at::Tensor& weight,
                      const at::Tensor& bias, double scale, double rate,
                      const ForwardContext& context) {
  const auto form = x.is_cpu() ? fused::add_linear : composed::add_linear;
  return form(x, h, weight, bias, scale, rate, context);
}

at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias, const at::Tensor& weight,
                             const at::Tensor& weight_bias, const at::Tensor& lengths,
                             const ConvolutionReach& reach, const BatchNorm& norm,
                             const std::string& activation, const ForwardContext& context) {
  if (h.is_cpu() && !reach.causal && reach.chunk == 0)
    return fused::gated_convolution(h, bias, weight, weight_bias, lengths, norm, activation,
                                    context);
  return composed::gated_convolution(h, bias, weight, weight_bias, lengths, reach, norm, activation,
                                     context);
}

at::Tensor relative_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& position_bias, const at::Tensor& lengths,
                              const AttentionSpan& span, double rate,
                              const ForwardContext& context) {
  if (h.is_cpu() && span.chunk == 0)
    return fused::relative_attention(h, bias, position_bias, lengths, rate, context);
  return composed::relative_attention(h, bias, position_bias, lengths, span, rate, context);
}

at::Tensor sinusoid_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& positions, const at::Tensor& content_offset,
                              const at::Tensor& position_offset, int64_t heads,
                              const at::Tensor& lengths, const AttentionSpan& span, double rate,
                              const ForwardContext& context) {
  if (h.is_cpu() && span.chunk == 0)
    return fused::sinusoid_attention(h, bias, positions, content_offset, position_offset, heads,
                                     lengths, rate, context);
  return composed::sinusoid_attention(h, bias, positions, content_offset, position_offset, heads,
                                      lengths, span, rate, context);
}

at::Tensor subsample(const at::Tensor& features, const at::Tensor& weight1, const at::Tensor& bias1,
                     const at::Tensor& weight2, const at::Tensor& bias2, int64_t stride2,
                     const at::Tensor& lengths) {
  // The fused form has no gradient for the features.
  const bool fused_form = features.is_cpu() && !features.requires_grad();
  const auto form = fused_form ? fused::subsample : composed::subsample;
  return form(features, weight1, bias1, weight2, bias2, stride2, lengths);
}

}  // namespace scion
