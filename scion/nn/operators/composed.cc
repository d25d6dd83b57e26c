#include "scion/nn/operators/composed.h"

#include "scion/nn/operators/attention_scores.h"
#include "scion/nn/operators/depthwise.h"

namespace scion::composed {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Products in bfloat16 of float tensors; the backward pass's operands are saved in bfloat16.
class LinearBf16 : public Function<LinearBf16> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, const at::Tensor& weight16) {
    const at::Tensor x16 = x.reshape({-1, x.size(-1)}).to(at::kBFloat16);
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
    return {grad_x, grad_weight, grad_bias, at::Tensor()};
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x, const Linear& map, const ForwardContext& context) {
  // A Function takes no undefined tensor: an absent bias is an absent optional.
  const auto bias = map.bias.defined() ? std::optional<at::Tensor>(map.bias) : std::nullopt;
  if (context.bf16()) return LinearBf16::apply(x, map.weight, bias, context.operand(map.weight));
  return at::linear(x, map.weight, map.bias);
}

at::Tensor norm_linear(const at::Tensor& x, const LayerNorm& norm, const Linear& map,
                       const ForwardContext& context) {
  return composed::linear(layer_norm(x, norm), {map.weight}, context);
}

at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias, Activation activation,
                              double rate, const ForwardContext& context) {
  return dropout(activate(h + bias, activation), rate, context);
}

at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const Linear& map, double scale,
                      double rate, const ForwardContext& context) {
  return at::add(x, dropout(composed::linear(h, map, context), rate, context), scale);
}

at::Tensor gate(const at::Tensor& h, const at::Tensor& bias, const at::Tensor& valid) {
  return at::glu(h + bias, -1).masked_fill(valid.logical_not().unsqueeze(2), 0);
}

at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias,
                             const Convolution& convolution, const at::Tensor& lengths,
                             const BatchNorm& norm, Activation activation,
                             const ForwardContext& context) {
  const at::Tensor valid = valid_frames(lengths, h.size(1));
  const at::Tensor y = depthwise_convolution(gate(h, bias, valid), convolution);
  return activate(masked_batch_norm(y, valid, norm, context), activation);
}

static at::Tensor attend_to_visible(const at::Tensor& scores, const at::Tensor& value,
                                    const at::Tensor& lengths, const AttentionSpan& span,
                                    double rate, const ForwardContext& context) {
  const at::Tensor hidden = hidden_frames(lengths, scores.size(3), span);
  return attend(scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()), value, rate,
                context);
}

at::Tensor relative_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& position_bias, const at::Tensor& lengths,
                              const AttentionSpan& span, double rate,
                              const ForwardContext& context) {
  const AttentionHeads heads = split_heads(h + bias, position_bias.size(0));
  return attend_to_visible(relative_scores(heads.query, heads.key, position_bias), heads.value,
                           lengths, span, rate, context);
}

at::Tensor sinusoid_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& positions, const at::Tensor& content_offset,
                              const at::Tensor& position_offset, int64_t heads,
                              const at::Tensor& lengths, const AttentionSpan& span, double rate,
                              const ForwardContext& context) {
  const AttentionHeads parts = split_heads(h + bias, heads);
  return attend_to_visible(
      sinusoid_scores(parts.query, parts.key, positions, content_offset, position_offset),
      parts.value, lengths, span, rate, context);
}

at::Tensor subsample(const at::Tensor& features, const ImageConvolution& first,
                     const ImageConvolution& second, const at::Tensor& /*lengths*/) {
  const at::Tensor x =
      at::relu(at::conv2d(features.unsqueeze(1), first.weight, first.bias, first.stride));
  return at::relu(at::conv2d(x, second.weight, second.bias, second.stride)).permute({0, 2, 3, 1});
}

}  // namespace scion::composed
