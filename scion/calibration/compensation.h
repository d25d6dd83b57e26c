// Weights for a linear layer whose inputs are not its teacher's, by which it has the teacher's
// outputs nevertheless.
#pragma once

#include "scion/calibration/moments.h"

namespace scion {

/// y = W x + b in float64, by groups as in Moments.
struct AffineMap {
  at::Tensor weight;  ///< (G, O, I)
  at::Tensor bias;    ///< (G, O); undefined: none
};

/// W' = W₀ + (C_yx − W₀ C_xx)(C_xx + λI)⁻¹ by Cholesky factorisation, b' = μ_y − W' μ_x. W₀ is the
/// weight of `map`, so a map that is already right is unchanged for every λ. λ is `ridge` times the
/// mean variance of the inputs. Inputs that do not vary keep their columns of W₀. With y the
/// teacher's outputs W x_T + b and W₀ = 0 this is W' = W C_TS (C_SS + λI)⁻¹. A map without a bias
/// is fitted about zero.
AffineMap least_squares(const Moments& moments, const AffineMap& map, double ridge);

/// Scales every row of W by the deviation of y over that of its output; the bias gives the mean of
/// y. Rows whose output does not vary are unchanged.
AffineMap match_deviation(const Moments& moments, const AffineMap& map);

}  // namespace scion
