#include "scion/study/gradients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace scion {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(Gradients, MeansAreGeometric) {
  const auto curves = gradient_curves({{"s", "a", {0, 1}, 1, 1.0},
                                       {"s", "a", {0, 2}, 1, 4.0},
                                       {"s", "a", {0, 1}, 2, 9.0},
                                       {"s", "a", {0, 2}, 2, 9.0},
                                       {"s", "b", {0, 1}, 1, 7.0}});
  ASSERT_EQ(curves.size(), 2);
  EXPECT_THAT(curves[0].updates, ElementsAre(1, 2));
  EXPECT_THAT(curves[0].mean, ElementsAre(DoubleNear(2, 1e-12), DoubleNear(9, 1e-12)));
  EXPECT_NEAR(curves[0].low[0], 1, 1e-12);
  EXPECT_NEAR(curves[0].high[0], 4, 1e-12);
  EXPECT_EQ(curves[1].arm, "b");
}

TEST(Gradients, JoinsUpdatesInBins) {
  std::vector<GradientNorm> norms;
  for (int64_t update = 0; update < 1000; ++update)
    norms.push_back({"s", "a", {0, 1}, update, update % 2 ? 4.0 : 1.0});
  const auto curves = gradient_curves(norms, 100);
  ASSERT_EQ(curves[0].updates.size(), 100);
  EXPECT_EQ(curves[0].updates[0], 4.5);
  for (const double mean : curves[0].mean) EXPECT_NEAR(mean, 2, 1e-12);
}

TEST(Gradients, LeavesOutWhatIsNotANorm) {
  const auto curves = gradient_curves({{"s", "a", {0, 1}, 1, 2.0},
                                       {"s", "a", {0, 1}, 2, 0.0},
                                       {"s", "a", {0, 1}, 3, NAN},
                                       {"s", "a", {0, 1}, 4, HUGE_VAL}});
  EXPECT_THAT(curves[0].updates, ElementsAre(1));
  EXPECT_TRUE(gradient_curves({}).empty());
}

TEST(Gradients, StabilityByHand) {
  // Logarithms 0, 2, 1: mean 1, standard deviation 1, mean |change| (2 + 1) / 2.
  const double e = std::exp(1.0);
  const auto result = gradient_stability({{"s", "a", {0, 1}, 1, 1.0},
                                          {"s", "a", {0, 1}, 5, e * e},
                                          {"s", "a", {0, 1}, 9, e},
                                          {"s", "a", {0, 1}, 10, 1e9},
                                          {"s", "b", {0, 1}, 1, 3.0}},
                                         9);
  ASSERT_EQ(result.size(), 1);
  EXPECT_NEAR(result[0].level, e, 1e-12);
  EXPECT_NEAR(result[0].spread, 1, 1e-12);
  EXPECT_NEAR(result[0].change, 1.5, 1e-12);
  EXPECT_EQ(result[0].runs, 1);
}

}  // namespace
}  // namespace scion
