// The differentiable operations that layers are made of.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "scion/nn/forward_context.h"

namespace scion {

/// y = x Wᵀ + b over the last dimension; x (…, I) float, weight (O, I), bias (O) or undefined.
/// With context.bf16() the products of both passes are taken in bfloat16.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                  const ForwardContext& context);

/// LayerNorm(x) Wᵀ: x (…, I) float, weight (O, I) → (…, O). The bias is left to what follows, and
/// so is the rounding to float: on the CPU the result is bfloat16 with context.bf16().
at::Tensor norm_linear(const at::Tensor& x, const at::Tensor& norm_weight,
                       const at::Tensor& norm_bias, const at::Tensor& weight,
                       const ForwardContext& context);

/// dropout(activation(h + bias)); h (…, O) as norm_linear() gives it, in the type of h.
at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias,
                              const std::string& activation, double rate,
                              const ForwardContext& context);

/// x + scale · dropout(h Wᵀ + bias): x (…, D) float, h (…, I) float or bfloat16, weight (D, I).
at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const at::Tensor& weight,
                      const at::Tensor& bias, double scale, double rate,
                      const ForwardContext& context);

/// Zeroes elements with probability `rate` and scales the others by 1/(1 − rate), in training only.
/// The mask is recomputed in the backward pass from its key.
at::Tensor dropout(const at::Tensor& x, double rate, const ForwardContext& context);

/// "relu" or "swish".
at::Tensor activate(const at::Tensor& x, const std::string& activation);

/// True for valid frames: lengths (B) int64 → (B, T) bool on the lengths' device.
at::Tensor valid_frames(const at::Tensor& lengths, int64_t frames);

/// Every utterance's features (B, T, F) minus their mean over its frames, over their standard
/// deviation (without bias) plus 1e-5, as NeMo's `per_feature`; lengths (B) int64.
at::Tensor normalise_utterances(const at::Tensor& features, const at::Tensor& lengths);

/// The frames that a convolution over time sees.
struct ConvolutionReach {
  bool causal = false;  ///< the last tap is the frame's own; otherwise the middle one is
  int64_t chunk = 0;    ///< > 0: frames behind the frame's chunk of so many count as zero

  /// Taps before the frame's own, of `taps`.
  int64_t past(int64_t taps) const { return causal ? taps - 1 : taps / 2; }
};

/// Depthwise convolution over time without change of length: x (B, T, C), weight (C, 1, K) with K
/// odd, bias (C). Frames outside 0 … T-1 count as zero.
at::Tensor depthwise_convolution(const at::Tensor& x, const at::Tensor& weight,
                                 const at::Tensor& bias, const ConvolutionReach& reach);

/// What each tap of that convolution sees: x (B, T, C) → (B, T, C, taps).
at::Tensor depthwise_patches(const at::Tensor& x, int64_t taps, const ConvolutionReach& reach);

/// One chunk of a stream: x (B, past + T, C) with the frames before it → (B, T, C). What follows
/// counts as zero.
at::Tensor depthwise_convolution_step(const at::Tensor& x, const at::Tensor& weight,
                                      const at::Tensor& bias, const ConvolutionReach& reach);

/// Batch normalisation: learnt scale and shift (C), running statistics (C).
struct BatchNorm {
  at::Tensor weight, bias, running_mean, running_variance;
};

/// Over the valid frames only. x (B, T, C); valid (B, T) bool. In training the running statistics
/// are moved in place; in evaluation they are used.
at::Tensor masked_batch_norm(const at::Tensor& x, const at::Tensor& valid, const BatchNorm& norm,
                             const ForwardContext& context);

/// A Conformer's convolution module between its two pointwise maps:
/// activation(BatchNorm(depthwise(GLU(h + bias)))), frames beyond `lengths` (B) counting as zero.
/// h (B, T, 2C) as norm_linear() gives it, weight (C, 1, K) → (B, T, C) in the type of h.
at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias, const at::Tensor& weight,
                             const at::Tensor& weight_bias, const at::Tensor& lengths,
                             const ConvolutionReach& reach, const BatchNorm& norm,
                             const std::string& activation, const ForwardContext& context);

/// The frames that attention sees.
struct AttentionSpan {
  int64_t chunk = 0;  ///< > 0: a frame sees its chunk of so many frames, and `left` before that
  int64_t left = 0;
};

/// Self-attention with a learnt bias for each head and distance: h + bias (B, T, 3·H·d) holds
/// queries | keys | values, position_bias (H, 2R + 1) distances −R … R (of key from query, farther
/// ones count as ±R) → (B, T, H·d) in the type of h. Frames beyond `lengths` (B) are not seen; what
/// they see is undefined. Dropout with `rate` on the weights.
at::Tensor relative_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& position_bias, const at::Tensor& lengths,
                              const AttentionSpan& span, double rate,
                              const ForwardContext& context);

/// Self-attention with relative positions (Dai et al., 2019): query t scores key j with
/// (q_t + content_offset) · k_j + (q_t + position_offset) · p_(t−j), over √d. Positions (2T − 1,
/// H·d) hold p for distances T − 1 … −(T − 1); offsets (H·d). The rest as in relative_attention().
at::Tensor sinusoid_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& positions, const at::Tensor& content_offset,
                              const at::Tensor& position_offset, int64_t heads,
                              const at::Tensor& lengths, const AttentionSpan& span, double rate,
                              const ForwardContext& context);

/// Two convolutions over time and frequency with a relu behind each, the first 3 × 3 with stride 2:
/// features (B, T, F) → (B, T', F', C). Frames beyond `lengths` (B, in T') are undefined.
at::Tensor subsample(const at::Tensor& features, const at::Tensor& weight1, const at::Tensor& bias1,
                     const at::Tensor& weight2, const at::Tensor& bias2, int64_t stride2,
                     const at::Tensor& lengths);

}  // namespace scion
