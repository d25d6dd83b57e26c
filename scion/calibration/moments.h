// Second moments of the inputs of a linear map and of the outputs that it should give.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace scion {

/// Of rows (x, y): G groups, each with inputs x (I) and outputs y (O) of its own. A linear map is
/// one group; of a depthwise map every output is one. In float64; sums are kept centred and put
/// together as Chan et al. (1979) do, so that large means cost no digits.
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

  /// The same with second moments about zero in place of covariances, and means of zero: what a map
  /// without a bias is fitted to.
  Moments about_zero() const;

 private:
  int64_t count_ = 0;
  at::Tensor mean_x_, mean_y_;
  at::Tensor sum_xx_, sum_yx_, sum_yy_;  // of products of what differs from the means
};

}  // namespace scion
