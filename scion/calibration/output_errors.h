// Error of a layer's outputs, summed over rows.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace scion {

class OutputErrors {
 public:
  /// y, target (N, O) float64
  void add(const at::Tensor& y, const at::Tensor& target);
  void add(const OutputErrors& other);

  /// Σ|y − target|² over Σ|target − mean|²; 0 without rows or errors.
  double relative() const;

 private:
  double squared_error_ = 0;
  int64_t rows_ = 0;
  at::Tensor sum_, squares_;  // of the targets, (O)
};

}  // namespace scion
