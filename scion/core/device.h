// Where tensors live: by the name that a user gives.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace scion {

/// "cpu" or "cuda". UserError when there is no such device, or this program knows none.
at::Device find_device(const std::string& name);

/// `tensor` on `device`. A copy from the processor to a GPU goes through pinned memory and does not
/// wait for what the GPU is doing.
at::Tensor upload(const at::Tensor& tensor, at::Device device);

}  // namespace scion
