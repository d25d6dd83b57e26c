// The operations of functional.h, where their meaning is given, from single tensor operations: on
// every device, and what the fused ones are tested against.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "scion/nn/functional.h"

namespace scion::composed {

at::Tensor norm_linear(const at::Tensor& x, const at::Tensor& norm_weight,
                       const at::Tensor& norm_bias, const at::Tensor& weight,
                       const ForwardContext& context);
at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias,
                              const std::string& activation, double rate,
                              const ForwardContext& context);
at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const at::Tensor& weight,
                      const at::Tensor& bias, double scale, double rate,
                      const ForwardContext& context);

at::Tensor gated_convolution(const at::Tensor& h, const at::Tensor& bias, const at::Tensor& weight,
                             const at::Tensor& weight_bias, const at::Tensor& lengths,
                             const ConvolutionReach& reach, const BatchNorm& norm,
                             const std::string& activation, const ForwardContext& context);
at::Tensor relative_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& position_bias, const at::Tensor& lengths,
                              const AttentionSpan& span, double rate,
                              const ForwardContext& context);
at::Tensor sinusoid_attention(const at::Tensor& h, const at::Tensor& bias,
                              const at::Tensor& positions, const at::Tensor& content_offset,
                              const at::Tensor& position_offset, int64_t heads,
                              const at::Tensor& lengths, const AttentionSpan& span, double rate,
                              const ForwardContext& context);
at::Tensor subsample(const at::Tensor& features, const at::Tensor& weight1, const at::Tensor& bias1,
                     const at::Tensor& weight2, const at::Tensor& bias2, int64_t stride2,
                     const at::Tensor& lengths);

}  // namespace scion::composed
