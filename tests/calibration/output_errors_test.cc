#include "scion/calibration/output_errors.h"

#include <gtest/gtest.h>

namespace scion {
namespace {

TEST(OutputErrors, AreRelativeToTheVarianceOfTheTargets) {
  at::manual_seed(3);
  const at::Tensor target = at::randn({40, 3}, at::kDouble) * 2 + 5;
  const at::Tensor y = target + at::randn({40, 3}, at::kDouble);
  OutputErrors all;
  all.add(y, target);
  const double variance = target.var(0, false).sum().item<double>() * 40;
  EXPECT_NEAR(all.relative(), (y - target).square().sum().item<double>() / variance, 1e-9);
  OutputErrors first, rest;
  first.add(y.slice(0, 0, 7), target.slice(0, 0, 7));
  rest.add(y.slice(0, 7), target.slice(0, 7));
  first.add(rest);
  EXPECT_NEAR(first.relative(), all.relative(), 1e-12);
}

TEST(OutputErrors, OfNothingAndOfTheTargetsThemselvesAreZero) {
  OutputErrors errors;
  EXPECT_EQ(errors.relative(), 0);
  errors.add(at::ones({4, 2}, at::kDouble), at::ones({4, 2}, at::kDouble));
  EXPECT_EQ(errors.relative(), 0);
}

}  // namespace
}  // namespace scion
