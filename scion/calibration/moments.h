// Second moments of the inputs of a linear layer and of the outputs that it should have.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace scion {

/// Moments of rows (x, y) in float64. There are G groups, each with its inputs x (I) and outputs y
/// (O): a linear layer is one group, each channel of a depthwise layer is one. Sums are kept
/// centred and merged as in Chan et al. (1979), so that large means cost no digits.
class Moments {
 public:
  Moments(int64_t groups, int64_t inputs, int64_t outputs);

  /// x (N, G, I), y (N, G, O)
  void add(const at::Tensor& x, const at::Tensor& y);
  void add(const Moments& other);

  int64_t count() const { return count_; }
  const at::Tensor& mean_x() const { return mean_x_; }  ///< (G, I)
  const at::Tensor& mean_y() const { return mean_y_; }  ///< (G, O)
  at::Tensor xx() const;                                ///< covariance (G, I, I)
  at::Tensor yx() const;                                ///< covariance of y with x (G, O, I)
  at::Tensor yy() const;                                ///< variances (G, O)

  /// The same with second moments about zero in place of covariances, and with means of zero: a
  /// layer without a bias is fitted to these.
  Moments about_zero() const;

 private:
  int64_t count_ = 0;
  at::Tensor mean_x_, mean_y_;
  at::Tensor sum_xx_, sum_yx_, sum_yy_;  // of products of deviations from the means
};

}  // namespace scion
