// Other weights for a linear map whose inputs are not its teacher's, so that its outputs are.
#pragma once

#include <string>

#include "scion/calibration/moments.h"

namespace scion {

/// y = W x + b in float64, by groups as in Moments.
struct AffineMap {
  at::Tensor weight;  ///< (G, O, I)
  at::Tensor bias;    ///< (G, O); undefined: none
};

struct LeastSquaresOptions {
  /// λ over the mean variance of the inputs.
  double ridge = 0.3;
  /// What a large λ leads to: "selected", the weights as they are, or "zero".
  std::string shrink_to = "selected";
};

/// W' = W₀ + (C_yx − W₀ C_xx)(C_xx + λI)⁻¹ by Cholesky's factors, b' = μ_y − W' μ_x. W₀ is `map`'s
/// weight, so that a map which is right already stays as it is for every λ, or zero. Inputs that do
/// not vary are left out: their columns are W₀'s. With y the teacher's outputs W x_T + b and
/// W₀ = 0 this is W' = W C_TS (C_SS + λI)⁻¹. A map without a bias is fitted about zero.
AffineMap least_squares(const Moments& moments, const AffineMap& map,
                        const LeastSquaresOptions& options);

/// Every row of W times the deviation of y over that of its output, the bias such that the mean is
/// that of y. Rows whose output does not vary stay.
AffineMap match_deviation(const Moments& moments, const AffineMap& map);

/// (1 − share) · a + share · b
AffineMap blend(const AffineMap& a, const AffineMap& b, double share);

/// E|y − W x − b|² over the variance of y, both summed over the outputs; 0 where y does not vary
/// and is met.
double relative_error(const Moments& moments, const AffineMap& map);

}  // namespace scion
