// Where tensors live: by the name that a user gives.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace scion {

/// "cpu" or "cuda". UserError when there is no such device, or this program knows none.
at::Device find_device(const std::string& name);

}  // namespace scion
