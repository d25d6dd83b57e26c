// Devices by the names that users give.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace scion {

/// "cpu" or "cuda". UserError when there is no such device, or the program was built without it.
at::Device find_device(const std::string& name);

/// `tensor` on `device`. A copy from the CPU to a GPU goes through pinned memory and does not
/// synchronise.
at::Tensor upload(const at::Tensor& tensor, at::Device device);

}  // namespace scion
