#include "scion/nn/composed.h"

#include "scion/nn/attention_scores.h"

namespace scion::composed {

at::Tensor norm_linear(const at::Tensor& x, const at::Tensor& norm_weight,
                       const at::Tensor& norm_bias, const at::Tensor& weight,
                       const ForwardContext& context) {
  return linear(at::layer_norm(x, {x.size(-1)}, norm_weight, norm_bias, 1e-5), weight, {}, context);
}

at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias,
                              const std::string& activation, double rate,
                              const ForwardContext& context) {
  return dropout(activate(h + bias, activation), rate, context);
}

at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const at::Tensor& weight,
                      const at::Tensor& bias, double scale, double rate,
                      const ForwardContext& context) {
  return at::add(x, dropout(linear(h, weight, bias, context), rate, context), scale);
}

at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias, const at::Tensor& weight,
                             const at::Tensor& weight_bias, const at::Tensor& lengths,
                             const ConvolutionReach& reach, const BatchNorm& norm,
                             const std::string& activation, const ForwardContext& context) {
  const at::Tensor valid = valid_frames(lengths, h.size(1));
  at::Tensor y = at::glu(h + bias, -1).masked_fill(valid.logical_not().unsqueeze(2), 0);
  y = depthwise_convolution(y, weight, weight_bias, reach);
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

at::Tensor subsample(const at::Tensor& features, const at::Tensor& weight1, const at::Tensor& bias1,
                     const at::Tensor& weight2, const at::Tensor& bias2, int64_t stride2,
                     const at::Tensor& lengths) {
  const at::Tensor x = at::relu(at::conv2d(features.unsqueeze(1), weight1, bias1, 2));
  return at::relu(at::conv2d(x, weight2, bias2, stride2)).permute({0, 2, 3, 1});
}

}  // namespace scion::composed
