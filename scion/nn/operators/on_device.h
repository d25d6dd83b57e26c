// The operators of functional.h on a device, where their meaning is given: matrix products with the
// kernels of nn/device/kernels.h between them, and backward passes written by hand. As on the CPU,
// norm_linear()'s result is bfloat16 with context.bf16(), and so is what follows up to
// add_linear().
#pragma once

#include <ATen/core/Tensor.h>

#include "scion/nn/device/dispatch.h"
#include "scion/nn/operators/functional.h"

namespace scion::on_device {

at::Tensor dropout(const ModelDevice& device, const at::Tensor& x, double rate,
                   const ForwardContext& context);
at::Tensor norm_linear(const ModelDevice& device, const at::Tensor& x, const LayerNorm& norm,
                       const Linear& map, const ForwardContext& context);
at::Tensor activate_with_bias(const ModelDevice& device, const at::Tensor& h,
                              const at::Tensor& bias, Activation activation, double rate,
                              const ForwardContext& context);
at::Tensor add_linear(const ModelDevice& device, const at::Tensor& x, const at::Tensor& h,
                      const Linear& map, double scale, double rate, const ForwardContext& context);
at::Tensor gated_convolution(const ModelDevice& device, const at::Tensor& h, const at::Tensor& bias,
                             const Convolution& convolution, const at::Tensor& lengths,
                             const BatchNorm& norm, Activation activation,
                             const ForwardContext& context);
at::Tensor relative_attention(const ModelDevice& device, const at::Tensor& h,
                              const at::Tensor& bias, const at::Tensor& position_bias,
                              const at::Tensor& lengths, const AttentionSpan& span, double rate,
                              const ForwardContext& context);
at::Tensor sinusoid_attention(const ModelDevice& device, const at::Tensor& h,
                              const at::Tensor& bias, const at::Tensor& positions,
                              const at::Tensor& content_offset, const at::Tensor& position_offset,
                              int64_t heads, const at::Tensor& lengths, const AttentionSpan& span,
                              double rate, const ForwardContext& context);

}  // namespace scion::on_device
