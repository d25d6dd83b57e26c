// Depthwise convolution over time: whole utterances, single chunks of a stream, and the frames that
// each tap sees.
#pragma once

#include <ATen/core/Tensor.h>

#include "scion/nn/operators/weights.h"

namespace scion {

/// Without change of length, an odd number of taps: x (B, T, C) → (B, T, C). Frames outside
/// 0 … T−1 count as zero.
at::Tensor depthwise_convolution(const at::Tensor& x, const Convolution& convolution);

/// Inputs of each tap of that convolution: x (B, T, C) → (B, T, C, taps).
at::Tensor depthwise_patches(const at::Tensor& x, const Convolution& convolution);

/// One chunk of a stream: x (B, past + T, C), the chunk after the frames before it → (B, T, C).
/// Frames after the chunk count as zero.
at::Tensor depthwise_convolution_step(const at::Tensor& x, const Convolution& convolution);

}  // namespace scion
