// Convolutions on the meta device, whose tensors have shapes and no numbers: libtorch itself leaves
// them to Python. For one source of a program.
#pragma once

#include <ATen/ATen.h>
#include <torch/library.h>

namespace scion::testing {

inline at::Tensor meta_convolution(const at::Tensor& input, const at::Tensor& weight,
                                   const std::optional<at::Tensor>& /*bias*/,
                                   at::IntArrayRef stride, at::IntArrayRef padding,
                                   at::IntArrayRef dilation, bool transposed,
                                   at::IntArrayRef /*output_padding*/, int64_t /*groups*/) {
  TORCH_CHECK(input.is_meta() && weight.is_meta() && !transposed);
  std::vector<int64_t> shape = {input.size(0), weight.size(0)};
  for (int64_t i = 0; i + 2 < input.dim(); ++i) {
    const auto d = static_cast<size_t>(i);
    const int64_t reach = dilation[d] * (weight.size(i + 2) - 1) + 1;
    shape.push_back((input.size(i + 2) + 2 * padding[d] - reach) / stride[d] + 1);
  }
  return at::empty(shape, input.options());
}

inline std::tuple<at::Tensor, at::Tensor, at::Tensor> meta_convolution_backward(
    const at::Tensor& gradient, const at::Tensor& input, const at::Tensor& weight, at::IntArrayRef,
    at::IntArrayRef, at::IntArrayRef, bool, at::IntArrayRef, int64_t, std::array<bool, 3>) {
  return {at::empty_like(input), at::empty_like(weight),
          at::empty({gradient.size(1)}, gradient.options())};
}

TORCH_LIBRARY_IMPL(aten, Meta, m) {
  m.impl("convolution_overrideable", meta_convolution);
  m.impl("convolution_backward_overrideable", meta_convolution_backward);
}

}  // namespace scion::testing
