#include "scion/scoring/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "scion/core/error.h"
#include "scion/core/random.h"

namespace scion {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

TEST(Bootstrap, MatchesTheNormalApproximation) {
  // 2000 one-word utterances of which a tenth is wrong: the rate is binomial.
  std::vector<ErrorCounts> units(2000, ErrorCounts{0, 0, 0, 1});
  for (size_t i = 0; i < 200; ++i) units[i * 10] = {1, 0, 0, 0};
  const double deviation = std::sqrt(0.1 * 0.9 / 2000);
  const Interval interval = bootstrap_rate(units);
  EXPECT_NEAR(interval.low, 0.1 - 1.96 * deviation, 0.0012);
  EXPECT_NEAR(interval.high, 0.1 + 1.96 * deviation, 0.0012);
}

TEST(Bootstrap, EqualUnitsHaveNoSpread) {
  const Interval interval = bootstrap_rate(std::vector<ErrorCounts>(7, ErrorCounts{1, 1, 0, 3}));
  EXPECT_EQ(interval.low, 0.5);
  EXPECT_EQ(interval.high, 0.5);
}

TEST(Bootstrap, SameSeedSameInterval) {
  std::vector<ErrorCounts> units;
  for (int64_t i = 0; i < 50; ++i) units.push_back({i % 3, i % 5, i % 2, 10 + i});
  const Interval a = bootstrap_rate(units, 0.9, 500, 4), b = bootstrap_rate(units, 0.9, 500, 4);
  const Interval c = bootstrap_rate(units, 0.9, 500, 5);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_TRUE(a.low != c.low || a.high != c.high);
  EXPECT_LE(a.low, a.high);
}

TEST(Bootstrap, RefusesNonsense) {
  EXPECT_THROW(bootstrap_rate({}), UserError);
  EXPECT_THROW(bootstrap_rate({{1, 0, 0, 1}}, 1.5), UserError);
  EXPECT_THROW(bootstrap_rate({{1, 0, 0, 1}}, 0.95, 0), UserError);
  EXPECT_THROW(bootstrap_difference({{{{1, 2}, {0}}}, {{{1}, {0}}}, {10, 10}, {1}}), UserError);
  EXPECT_THROW(bootstrap_difference({{{{0}, {0}}}, {{{0}, {0}}}, {0}, {1}}), UserError);
  // A system lacks one of two seeds.
  EXPECT_THROW(bootstrap_difference({{{{1}, {0}}}, {{{1}, {0}}, {{2}, {1}}}, {9}, {2}}), UserError);
}

// Errors of 3 seeds on 40 units; the second system makes `gain` fewer of them a unit.
PairedErrors made_up(double gain) {
  Random random(11, RandomStream::split);
  PairedErrors errors;
  for (int unit = 0; unit < 40; ++unit) errors.words.push_back(20);
  for (int seed = 0; seed < 3; ++seed) {
    std::vector<double> first, second;
    for (int unit = 0; unit < 40; ++unit) {
      first.push_back(static_cast<double>(3 + random.below(5)));
      second.push_back(first.back() - gain);
    }
    errors.first.push_back({first, {static_cast<size_t>(seed)}});
    errors.second.push_back({second, {static_cast<size_t>(seed)}});
  }
  errors.factors = {3};
  return errors;
}

TEST(Bootstrap, IdenticalSystemsDoNotDiffer) {
  const Difference difference = bootstrap_difference(made_up(0));
  EXPECT_EQ(difference.mean, 0);
  EXPECT_EQ(difference.interval.low, 0);
  EXPECT_EQ(difference.interval.high, 0);
  EXPECT_EQ(difference.p_value, 1);
}

TEST(Bootstrap, ConstantGainIsCertain) {
  // The draw is paired, so what both systems share cancels: 2 of 20 words, always.
  const Difference difference = bootstrap_difference(made_up(2));
  EXPECT_NEAR(difference.mean, -0.1, 1e-12);
  EXPECT_NEAR(difference.interval.low, -0.1, 1e-12);
  EXPECT_NEAR(difference.interval.high, -0.1, 1e-12);
  EXPECT_NEAR(difference.p_value, 2.0 / 10001, 1e-12);
}

TEST(Bootstrap, NoiseCoversZero) {
  PairedErrors errors = made_up(0);
  Random random(12, RandomStream::split);
  for (RunErrors& run : errors.second)
    for (double& value : run.errors) value += random.below(2) ? 1 : -1;
  const Difference difference = bootstrap_difference(errors);
  EXPECT_LT(difference.interval.low, 0);
  EXPECT_GT(difference.interval.high, 0);
  EXPECT_GT(difference.p_value, 0.05);
}

TEST(Bootstrap, SeedsAddToTheSpread) {
  // One seed of three gains, the others lose: over seeds the sign is open, whatever the units show.
  const PairedErrors errors{{{{5, 5}, {0}}, {{5, 5}, {1}}, {{5, 5}, {2}}},
                            {{{1, 1}, {0}}, {{6, 6}, {1}}, {{6, 6}, {2}}},
                            {50, 50},
                            {3}};
  const Difference difference = bootstrap_difference(errors);
  EXPECT_NEAR(difference.mean, -2.0 / 3 / 50, 1e-12);
  EXPECT_NEAR(difference.interval.low, -4.0 / 50, 1e-12);
  EXPECT_NEAR(difference.interval.high, 1.0 / 50, 1e-12);
}

TEST(Bootstrap, UnequalNumbersOfSeeds) {
  // The second system's four seeds are a separate factor.
  const Difference difference =
      bootstrap_difference({{{{4, 4}, {no_level}}},
                            {{{2, 2}, {0}}, {{3, 3}, {1}}, {{4, 4}, {2}}, {{3, 3}, {3}}},
                            {10, 10},
                            {4}},
                           0.95, 2000);
  EXPECT_NEAR(difference.mean, -0.1, 1e-12);
  EXPECT_LT(difference.interval.low, -0.1);
  EXPECT_GT(difference.interval.high, -0.1);
}

// The deviation of the drawn differences, from a wide interval of a normal distribution.
double drawn_deviation(const PairedErrors& errors) {
  const Difference difference = bootstrap_difference(errors, 0.6826895, 20000);
  return (difference.interval.high - difference.interval.low) / 2;
}

TEST(Bootstrap, AFactorsShareOfTheVarianceIsUnbiased) {
  // The second system's rate is its seed's, normal; the variance of their mean is s² / n.
  Random random(3, RandomStream::split);
  PairedErrors errors{{{{100}, {no_level}}}, {}, {1000}, {12}};
  double sum = 0, squares = 0;
  for (size_t seed = 0; seed < 12; ++seed) {
    errors.second.push_back({{100 + 20 * random.normal()}, {seed}});
    const double rate = errors.second.back().errors[0] / 1000;
    sum += rate, squares += rate * rate;
  }
  const double variance = (squares - sum * sum / 12) / 11;
  EXPECT_NEAR(drawn_deviation(errors), std::sqrt(variance / 12), 0.06 * std::sqrt(variance / 12));
}

TEST(Bootstrap, CrossedFactorsAddTheirVariances) {
  // Rates are a teacher's part plus a seed's part, without interaction.
  Random random(5, RandomStream::split);
  std::vector<double> teachers, seeds;
  for (int i = 0; i < 8; ++i) teachers.push_back(30 * random.normal());
  for (int i = 0; i < 8; ++i) seeds.push_back(15 * random.normal());
  PairedErrors both{{{{500}, {no_level, no_level}}}, {}, {1000}, {8, 8}};
  for (size_t t = 0; t < 8; ++t)
    for (size_t s = 0; s < 8; ++s) both.second.push_back({{500 + teachers[t] + seeds[s]}, {t, s}});
  const auto variance_of_mean = [](const std::vector<double>& values) {
    double sum = 0, squares = 0;
    for (const double value : values) sum += value, squares += value * value;
    return (squares - sum * sum / 8) / 7 / 8 / 1e6;
  };
  const double deviation = std::sqrt(variance_of_mean(teachers) + variance_of_mean(seeds));
  EXPECT_NEAR(drawn_deviation(both), deviation, 0.08 * deviation);
}

TEST(Bootstrap, HolmByHand) {
  // Sorted: 0.01·4 = 0.04, 0.02·3 = 0.06, 0.03·2 = 0.06, 0.8.
  EXPECT_THAT(holm({0.03, 0.01, 0.8, 0.02}),
              ElementsAre(DoubleEq(0.06), DoubleEq(0.04), DoubleEq(0.8), DoubleEq(0.06)));
  EXPECT_THAT(holm({0.6, 0.7}), ElementsAre(DoubleEq(1), DoubleEq(1)));
  EXPECT_TRUE(holm({}).empty());
}

}  // namespace
}  // namespace scion
