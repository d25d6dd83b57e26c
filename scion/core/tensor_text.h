// Tensors in messages.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace scion {

/// "(4, 80, 12)"
inline std::string shape_text(const at::Tensor& tensor) {
  std::string text;
  for (const int64_t size : tensor.sizes())
    text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "(" + text + ")";
}

}  // namespace scion
