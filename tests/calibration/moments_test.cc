#include "scion/calibration/moments.h"

#include <gtest/gtest.h>

namespace scion {
namespace {

void expect_moments(const at::Tensor& a, const at::Tensor& b, double tolerance = 1e-10) {
  ASSERT_EQ(a.sizes(), b.sizes());
  EXPECT_LT((a - b).abs().max().item<double>(), tolerance * (1 + b.abs().max().item<double>()));
}

TEST(Moments, OfPiecesAreThoseOfTheWhole) {
  at::manual_seed(1);
  const at::Tensor x = at::randn({50, 2, 3}, at::kDouble) + 1000,
                   y = at::randn({50, 2, 4}, at::kDouble);
  Moments first(2, 3, 4), second(2, 3, 4);
  first.add(x.slice(0, 0, 7), y.slice(0, 0, 7));
  first.add(x.slice(0, 7, 7), y.slice(0, 7, 7));
  second.add(x.slice(0, 7, 30), y.slice(0, 7, 30));
  second.add(x.slice(0, 30), y.slice(0, 30));
  first.add(second);
  first.add(Moments(2, 3, 4));
  EXPECT_EQ(first.count(), 50);
  const at::Tensor dx = x - x.mean(0, true), dy = y - y.mean(0, true);
  expect_moments(first.mean_x(), x.mean(0));
  expect_moments(first.mean_y(), y.mean(0));
  expect_moments(first.xx(), at::einsum("ngi,ngj->gij", {dx, dx}) / 50);
  expect_moments(first.yx(), at::einsum("ngo,ngi->goi", {dy, dx}) / 50);
  expect_moments(first.yy(), dy.square().mean(0));
}

TEST(Moments, AboutZero) {
  at::manual_seed(2);
  const at::Tensor x = at::randn({20, 1, 3}) + 2, y = at::randn({20, 1, 2}) - 1;
  Moments moments(1, 3, 2);
  moments.add(x, y);
  const Moments about_zero = moments.about_zero();
  const at::Tensor wide_x = x.to(at::kDouble), wide_y = y.to(at::kDouble);
  expect_moments(about_zero.xx(), at::einsum("ngi,ngj->gij", {wide_x, wide_x}) / 20);
  expect_moments(about_zero.yx(), at::einsum("ngo,ngi->goi", {wide_y, wide_x}) / 20);
  expect_moments(about_zero.yy(), wide_y.square().mean(0));
  EXPECT_EQ(about_zero.mean_x().abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace scion
