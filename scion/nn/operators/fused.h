// The operators of functional.h for the CPU, where their meaning is given: matrix products with the
// loops of nn/cpu/kernels.h between them, and backward passes written by hand. A convolution with
// chunks has none.
#pragma once

#include <ATen/core/Tensor.h>

#include "scion/nn/operators/functional.h"

namespace scion::fused {

at::Tensor norm_linear(const at::Tensor& x, const LayerNorm& norm, const Linear& map,
                       const ForwardContext& context);
at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias, Activation activation,
                              double rate, const ForwardContext& context);
at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const Linear& map, double scale,
                      double rate, const ForwardContext& context);

at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias,
                             const Convolution& convolution, const at::Tensor& lengths,
                             const BatchNorm& norm, Activation activation,
                             const ForwardContext& context);
at::Tensor relative_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& position_bias, const at::Tensor& lengths,
                              const AttentionSpan& span, double rate,
                              const ForwardContext& context);
at::Tensor sinusoid_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& positions, const at::Tensor& content_offset,
                              const at::Tensor& position_offset, int64_t heads,
                              const at::Tensor& lengths, const AttentionSpan& span, double rate,
                              const ForwardContext& context);
at::Tensor subsample(const at::Tensor& features, const ImageConvolution& first,
                     const ImageConvolution& second, const at::Tensor& lengths);

}  // namespace scion::fused
