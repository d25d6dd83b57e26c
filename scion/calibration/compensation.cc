#include "scion/calibration/compensation.h"

namespace scion {
namespace {

// Rounding of a float input of size 1 stays below this share of the mean variance.
constexpr double kDeadShare = 1e-10;

// Variances (G, O) of the outputs.
at::Tensor output_variance(const at::Tensor& xx, const at::Tensor& weight) {
  return (at::bmm(weight, xx) * weight).sum(2);
}

at::Tensor centring_bias(const Moments& moments, const at::Tensor& weight) {
  return moments.mean_y() - at::bmm(weight, moments.mean_x().unsqueeze(2)).squeeze(2);
}

}  // namespace

AffineMap least_squares(const Moments& given, const AffineMap& map, double ridge) {
  const Moments moments = map.bias.defined() ? given : given.about_zero();
  at::Tensor xx = moments.xx(), missing = moments.yx() - at::bmm(map.weight, xx);
  const at::Tensor variance = xx.diagonal(0, 1, 2),
                   scale = variance.mean(1, true);  // (G, I), (G, 1)
  const at::Tensor alive = variance > kDeadShare * scale;
  xx = xx * (alive.unsqueeze(1) * alive.unsqueeze(2));
  missing = missing * alive.unsqueeze(1);
  xx.diagonal(0, 1, 2).add_(ridge * scale + alive.logical_not());
  const at::Tensor factor = at::linalg_cholesky(xx);
  AffineMap fitted{map.weight + at::cholesky_solve(missing.transpose(1, 2), factor).transpose(1, 2),
                   {}};
  if (map.bias.defined()) fitted.bias = centring_bias(moments, fitted.weight);
  return fitted;
}

AffineMap match_deviation(const Moments& given, const AffineMap& map) {
  const Moments moments = map.bias.defined() ? given : given.about_zero();
  const at::Tensor variance = output_variance(moments.xx(), map.weight);
  const at::Tensor factor =
      at::where(variance > kDeadShare * moments.yy(), (moments.yy() / variance).sqrt(), 1.0);
  AffineMap scaled{map.weight * factor.unsqueeze(2), {}};
  if (map.bias.defined()) scaled.bias = centring_bias(moments, scaled.weight);
  return scaled;
}

}  // namespace scion
