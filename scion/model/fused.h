// The operations of functional.h for the CPU: matrix products with the loops of kernels.h between
// them, and backward passes by hand.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "scion/model/context.h"

namespace scion::fused {

at::Tensor norm_linear(const at::Tensor& x, const at::Tensor& norm_weight,
                       const at::Tensor& norm_bias, const at::Tensor& weight,
                       const Context& context);
at::Tensor activate_with_bias(const at::Tensor& h, const at::Tensor& bias,
                              const std::string& activation, double rate, const Context& context);
at::Tensor add_linear(const at::Tensor& x, const at::Tensor& h, const at::Tensor& weight,
                      const at::Tensor& bias, double scale, double rate, const Context& context);

}  // namespace scion::fused
