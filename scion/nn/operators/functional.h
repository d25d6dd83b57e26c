// The differentiable operators that layers are made of. Those that take a ForwardContext show their
// inputs to its observer; each has a fused form for the CPU and one from single tensor operations.
#pragma once

#include <ATen/core/Tensor.h>

#include "scion/nn/cpu/activation.h"
#include "scion/nn/operators/forward_context.h"
#include "scion/nn/operators/weights.h"

namespace scion {

/// y = x Wᵀ + b: x (…, I) float → (…, O). With context.bf16() the products of both passes are taken
/// in bfloat16.
at::Tensor linear(const at::Tensor& x, const Linear& map, const ForwardContext& context);

/// linear() of each frame's image x (B, T, F, C); the map's inputs are ordered (channel, bin).
at::Tensor image_linear(const at::Tensor& x, const Linear& map, const ForwardContext& context);

/// LayerNorm(x), each frame of x (…, C) normalised to mean 0 and deviation 1. This form is for an
/// operator that follows and shows its inputs itself.
at::Tensor layer_norm(const at::Tensor& x, const LayerNorm& norm);
/// The same; shows scale and shift as the depthwise map that they are.
at::Tensor layer_norm(const at::Tensor& x, const LayerNorm& norm, const ForwardContext& context);

/// LayerNorm(x) Wᵀ: x (…, I) float → (…, O). Adding the map's bias is left to the operator that
/// follows, and so is rounding to float: on the CPU the result is bfloat16 with context.bf16().
at::Tensor norm_linear(const at::Tensor& x, const LayerNorm& norm, const Linear& map,
                       const ForwardContext& context);

/// dropout(activation(h + bias)); h (…, O) as norm_linear() gives it, in the type of h.
at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias, Activation activation,
                              double rate, const ForwardContext& context);

/// x + scale · dropout(h Wᵀ + b): x (…, O) float, h (…, I) float or bfloat16.
at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const Linear& map, double scale,
                      double rate, const ForwardContext& context);

/// Zeroes elements with probability `rate` and scales the others by 1/(1 − rate), in training only.
/// The mask is recomputed in the backward pass from its key.
at::Tensor dropout(const at::Tensor& x, double rate, const ForwardContext& context);

at::Tensor activate(const at::Tensor& x, Activation activation);

/// True for valid frames: lengths (B) int64 → (B, T) bool on the lengths' device.
at::Tensor valid_frames(const at::Tensor& lengths, int64_t frames);

/// Each utterance's features (B, T, F) minus their mean over its frames, divided by their standard
/// deviation (with Bessel's correction) plus 1e-5, as NeMo's `per_feature`; lengths (B) int64.
at::Tensor normalise_utterances(const at::Tensor& features, const at::Tensor& lengths);

/// What normalise_utterances() subtracts and divides by: (B, 1, F) each.
struct UtteranceStatistics {
  at::Tensor mean, deviation;
};
/// The same numbers, but for rounding, from `block` frames at a time.
UtteranceStatistics utterance_statistics(const at::Tensor& features, const at::Tensor& lengths,
                                         int64_t block);

/// Normalises over the valid frames only: x (B, T, C), valid (B, T) bool. In training the running
/// statistics are updated in place; in evaluation they are used.
at::Tensor masked_batch_norm(const at::Tensor& x, const at::Tensor& valid, const BatchNorm& norm,
                             const ForwardContext& context);

/// A Conformer's convolution module between its two pointwise maps:
/// activation(BatchNorm(depthwise(GLU(h + bias)))), frames beyond `lengths` (B) counting as zero.
/// h (B, T, 2C) as norm_linear() gives it → (B, T, C) in the type of h.
at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias,
                             const Convolution& convolution, const at::Tensor& lengths,
                             const BatchNorm& norm, Activation activation,
                             const ForwardContext& context);
/// The same with a LayerNorm.
at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias,
                             const Convolution& convolution, const at::Tensor& lengths,
                             const LayerNorm& norm, Activation activation,
                             const ForwardContext& context);

/// The frames that attention sees.
struct AttentionSpan {
  int64_t chunk = 0;  ///< > 0: a frame sees its chunk of this length, and `left` frames before it
  int64_t left = 0;
};

/// Self-attention with a learnt bias for each head and distance: h + bias (B, T, 3·H·d) holds
/// queries | keys | values, position_bias (H, 2R + 1) distances −R … R (of key from query, farther
/// ones count as ±R) → (B, T, H·d) in the type of h. Frames beyond `lengths` (B) are masked; their
/// own outputs are undefined. Dropout with `rate` on the attention weights.
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

/// Convolution of x (B, C, T, F).
at::Tensor convolve_image(const at::Tensor& x, const ImageConvolution& convolution,
                          const ForwardContext& context);

/// Two convolutions without padding, each followed by a relu, the first 3 × 3 with stride 2:
/// features (B, T, F) → (B, T', F', C). Frames beyond `lengths` (B, in T') are undefined.
at::Tensor subsample(const at::Tensor& features, const ImageConvolution& first,
                     const ImageConvolution& second, const at::Tensor& lengths,
                     const ForwardContext& context);

/// Depthwise convolution without padding, tap by tap: x (B, T + K − 1, C), weight (C, 1, K), bias
/// (C) → (B, T, C).
at::Tensor mix_taps(const at::Tensor& x, const Convolution& convolution,
                    const ForwardContext& context);

/// State of an LSTM layer: (B, H) each.
struct LstmState {
  at::Tensor hidden, cell;
};

/// x (B, T, I) → (B, T, H); the state is advanced by T steps.
at::Tensor lstm(const at::Tensor& x, const LstmWeights& weights, LstmState& state,
                const ForwardContext& context);

}  // namespace scion
