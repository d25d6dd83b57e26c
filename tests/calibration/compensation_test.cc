#include "scion/calibration/compensation.h"

#include <gtest/gtest.h>

#include "scion/calibration/output_errors.h"

namespace scion {
namespace {

void expect_close(const at::Tensor& a, const at::Tensor& b, double tolerance) {
  ASSERT_EQ(a.sizes(), b.sizes());
  EXPECT_LT((a - b).abs().max().item<double>(), tolerance);
}

// Rows x (N, 1, I) with a mean, and y (N, 1, O), linear in x plus noise.
struct Rows {
  at::Tensor x, y;
  Moments moments;

  Rows(int64_t rows, int64_t inputs, int64_t outputs)
      : x(at::empty({0})), y(at::empty({0})), moments(1, inputs, outputs) {
    at::manual_seed(5);
    const at::Tensor mixing = at::randn({inputs, inputs}, at::kDouble);
    x = at::matmul(at::randn({rows, 1, inputs}, at::kDouble), mixing) + 3;
    y = at::matmul(x, at::randn({inputs, outputs}, at::kDouble)) +
        at::randn({rows, 1, outputs}, at::kDouble) - 2;
    moments.add(x, y);
  }
};

AffineMap made_up_map(int64_t inputs, int64_t outputs, bool bias = true) {
  at::manual_seed(6);
  return {at::randn({1, outputs, inputs}, at::kDouble),
          bias ? at::randn({1, outputs}, at::kDouble) : at::Tensor()};
}

TEST(Compensation, IsTheLeastSquaresSolution) {
  const Rows rows(60, 4, 3);
  const AffineMap fitted = least_squares(rows.moments, made_up_map(4, 3), 1e-12);
  // By brute force: all rows, with a column of ones for the bias.
  const at::Tensor design = at::cat({rows.x.squeeze(1), at::ones({60, 1}, at::kDouble)}, 1);
  const at::Tensor solution =
      std::get<0>(at::linalg_lstsq(design, rows.y.squeeze(1), std::nullopt, std::nullopt));
  expect_close(fitted.weight[0], solution.slice(0, 0, 4).t(), 1e-8);
  expect_close(fitted.bias[0], solution[4], 1e-7);
}

TEST(Compensation, WithoutABiasIsFittedAboutZero) {
  const Rows rows(60, 4, 3);
  const AffineMap fitted = least_squares(rows.moments, made_up_map(4, 3, false), 1e-12);
  const at::Tensor solution = std::get<0>(
      at::linalg_lstsq(rows.x.squeeze(1), rows.y.squeeze(1), std::nullopt, std::nullopt));
  expect_close(fitted.weight[0], solution.t(), 1e-7);
  EXPECT_FALSE(fitted.bias.defined());
}

TEST(Compensation, RidgeIsARowForEveryInputThatAsksForTheStart) {
  const Rows rows(30, 4, 3);
  const AffineMap map = made_up_map(4, 3);
  const AffineMap fitted = least_squares(rows.moments, map, 0.3);
  const double lambda = 0.3 * rows.moments.xx()[0].diagonal().mean().item<double>();
  const at::Tensor x = (rows.x - rows.x.mean(0, true)).squeeze(1);
  const at::Tensor y = (rows.y - rows.y.mean(0, true)).squeeze(1);
  const at::Tensor penalty = std::sqrt(30 * lambda) * at::eye(4, at::kDouble);
  const at::Tensor solution = std::get<0>(
      at::linalg_lstsq(at::cat({x, penalty}), at::cat({y, at::matmul(penalty, map.weight[0].t())}),
                       std::nullopt, std::nullopt));
  expect_close(fitted.weight[0], solution.t(), 1e-8);
}

TEST(Compensation, IsExactWhereDroppedInputsAreLinearInTheKeptOnes) {
  at::manual_seed(7);
  const at::Tensor mixing = at::randn({5, 6}, at::kDouble);
  const auto whole = [&](const at::Tensor& kept) {
    return at::cat({kept, at::matmul(kept, mixing) + 0.5}, 1);
  };
  const at::Tensor kept = at::randn({40, 5}, at::kDouble) + 1;
  const at::Tensor weight = at::randn({3, 11}, at::kDouble), bias = at::randn({3}, at::kDouble);
  const at::Tensor y = at::linear(whole(kept), weight, bias);
  Moments moments(1, 5, 3);
  moments.add(kept.unsqueeze(1), y.unsqueeze(1));
  const AffineMap selected{weight.slice(1, 0, 5).unsqueeze(0), bias.unsqueeze(0)};
  const auto error = [&](const AffineMap& map) {
    OutputErrors errors;
    errors.add(at::linear(kept, map.weight[0], map.bias[0]), y);
    return errors.relative();
  };
  double before = error(selected);
  EXPECT_GT(before, 0.1);
  for (const double ridge : {1e-2, 1e-4, 1e-6, 1e-8}) {
    const double now = error(least_squares(moments, selected, ridge));
    EXPECT_LT(now, before);
    before = now;
  }
  EXPECT_LT(before, 1e-12);
  const AffineMap fitted = least_squares(moments, selected, 1e-10);
  const at::Tensor other = at::randn({9, 5}, at::kDouble);  // rows that were not seen
  expect_close(at::linear(other, fitted.weight[0], fitted.bias[0]),
               at::linear(whole(other), weight, bias), 1e-6);
}

TEST(Compensation, AMapThatIsRightStaysForEveryRidge) {
  Rows rows(30, 4, 3);
  const AffineMap map = made_up_map(4, 3);
  Moments moments(1, 4, 3);
  moments.add(rows.x, at::matmul(rows.x, map.weight[0].t()) + map.bias);
  for (const double ridge : {1e-9, 1e-3, 1.0}) {
    const AffineMap fitted = least_squares(moments, map, ridge);
    expect_close(fitted.weight, map.weight, 1e-6);
    expect_close(fitted.bias, map.bias, 1e-6);
  }
}

TEST(Compensation, InputsThatDoNotVaryAreLeftOut) {
  Rows rows(30, 4, 3);
  rows.x.select(2, 1).fill_(2.5);
  Moments moments(1, 4, 3);
  moments.add(rows.x, rows.y);
  const AffineMap map = made_up_map(4, 3);
  const AffineMap fitted = least_squares(moments, map, 1e-6);
  EXPECT_TRUE(at::equal(fitted.weight.select(2, 1), map.weight.select(2, 1)));
  EXPECT_FALSE(at::equal(fitted.weight.select(2, 0), map.weight.select(2, 0)));
  Moments dead(2, 3, 1);  // a depthwise map, one channel of which is silent
  at::Tensor x = at::randn({20, 2, 3});
  x.select(1, 0).fill_(0);
  dead.add(x, at::randn({20, 2, 1}));
  const AffineMap depthwise =
      least_squares(dead, {at::ones({2, 1, 3}, at::kDouble), at::zeros({2, 1}, at::kDouble)}, 0.3);
  EXPECT_TRUE(depthwise.weight.isfinite().all().item<bool>());
  EXPECT_TRUE(at::equal(depthwise.weight[0], at::ones({1, 3}, at::kDouble)));
}

TEST(Compensation, DeviationsAndMeansAreTheTeachers) {
  const Rows rows(40, 4, 3);
  AffineMap map = made_up_map(4, 3);
  map.weight.select(1, 2).fill_(0);  // a row without any deviation stays
  const AffineMap scaled = match_deviation(rows.moments, map);
  const at::Tensor y = (at::matmul(rows.x, scaled.weight[0].t()) + scaled.bias).squeeze(1);
  const at::Tensor wanted = rows.y.squeeze(1);
  expect_close(y.mean(0), wanted.mean(0), 1e-8);
  expect_close(y.std(0, false).slice(0, 0, 2), wanted.std(0, false).slice(0, 0, 2), 1e-8);
  EXPECT_EQ(scaled.weight.select(1, 2).abs().max().item<double>(), 0);
  const at::Tensor factor = scaled.weight / map.weight;  // one for each row
  expect_close(factor[0].slice(0, 0, 2), factor[0].slice(0, 0, 2).slice(1, 0, 1).expand({2, 4}),
               1e-9);
}

}  // namespace
}  // namespace scion
