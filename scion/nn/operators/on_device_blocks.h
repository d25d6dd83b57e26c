// Helpers shared by the operators on a device. For sources, which have torch's autograd from the
// precompiled header.
#pragma once

#include "scion/core/device/capsule.h"
#include "scion/nn/operators/fused_blocks.h"
#include "scion/nn/operators/on_device.h"

namespace scion::on_device {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

using fused::as_float;
using fused::flat;
using fused::like_with_last;

inline Number number_of_operand(const at::Tensor& x) {
  return x.scalar_type() == at::kBFloat16 ? Number::bfloat16 : Number::float32;
}

/// The dropout of the next place in the network; none in evaluation.
inline DeviceDropout next_dropout(double rate, const ForwardContext& context) {
  const fused::DropoutPlace place(rate, context);
  return {static_cast<uint64_t>(place.key), place.rate};
}

inline at::Tensor empty_float(at::IntArrayRef shape, const at::Tensor& like) {
  return at::empty(shape, like.options().dtype(at::kFloat).requires_grad(false));
}

/// Room for the sums of each tile's rows.
inline at::Tensor tile_sums(const RowTiles& tiles, const at::Tensor& like) {
  return empty_float({tiles.row_tiles(), tiles.width}, like);
}

/// a · b in float, without rounding to the factors' type in between where a device can.
inline at::Tensor product_in_float(const at::Tensor& a, const at::Tensor& b) {
  if (a.is_cpu() || a.scalar_type() == at::kFloat) return as_float(at::mm(a, b));
  return at::mm(a, b, at::kFloat);
}

inline const float* numbers(const at::Tensor& x) { return x.const_data_ptr<float>(); }
inline float* room(const at::Tensor& x) { return x.mutable_data_ptr<float>(); }

}  // namespace scion::on_device
