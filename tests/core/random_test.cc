#include "scion/core/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

namespace scion {
namespace {

using Block = std::array<uint32_t, 4>;

// The known answers that Random123 (Salmon et al., 2011) publishes for philox4x32-10.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(StableHash, IsFnv1a) {
  EXPECT_EQ(stable_hash(""), 0xcbf29ce484222325U);
  EXPECT_EQ(stable_hash("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(stable_hash("foobar"), 0x85944171f73967e8U);
}

std::vector<uint32_t> first_bits(Random random, int count = 64) {
  std::vector<uint32_t> bits;
  for (int i = 0; i < count; ++i) bits.push_back(random.bits());
  return bits;
}

TEST(Random, SameArgumentsSameNumbers) {
  EXPECT_EQ(first_bits(Random(7, RandomStream::dropout, 3, 9)),
            first_bits(Random(7, RandomStream::dropout, 3, 9)));
}

// A change here would change every experiment that was ever run with a seed.
TEST(Random, NumbersStayTheSameForEver) {
  Random random(1, RandomStream::order, 2, 3);
  const std::array<uint32_t, 4> found{random.bits(), random.bits(), random.bits(), random.bits()};
  EXPECT_EQ(found, (std::array<uint32_t, 4>{3211083154, 877968990, 3372076334, 3838688527}));
}

TEST(Random, EveryArgumentChangesTheNumbers) {
  std::set<std::vector<uint32_t>> sequences;
  size_t count = 0;
  for (uint64_t seed = 0; seed < 4; ++seed)
    for (uint32_t stream = 1; stream <= 9; ++stream)
      for (uint64_t a = 0; a < 4; ++a)
        for (uint64_t b = 0; b < 4; ++b, ++count)
          sequences.insert(first_bits(Random(seed, static_cast<RandomStream>(stream), a, b), 4));
  EXPECT_EQ(sequences.size(), count);
}

TEST(Random, StreamsAreUncorrelated) {
  Random a(5, RandomStream::order), b(5, RandomStream::dropout);
  constexpr int n = 100'000;
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += a.normal() * b.normal();
  EXPECT_LT(std::abs(sum / n), 4 / std::sqrt(n));
}

TEST(Random, UniformMomentsAndBounds) {
  Random random(11, RandomStream::bootstrap);
  constexpr int n = 200'000;
  double sum = 0, squares = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.uniform();
    ASSERT_GE(x, 0);
    ASSERT_LT(x, 1);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / n, 0.5, 4 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(squares / n, 1.0 / 3, 4 * std::sqrt(4.0 / 45 / n));
}

TEST(Random, NormalMoments) {
  Random random(12, RandomStream::initialisation);
  constexpr int n = 200'000;
  std::array<double, 5> moment{};
  int tail = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal();
    ASSERT_TRUE(std::isfinite(x));
    for (size_t k = 1; k < moment.size(); ++k) moment[k] += std::pow(x, k) / n;
    if (std::abs(x) > 1.959964) ++tail;
  }
  EXPECT_NEAR(moment[1], 0, 4 * std::sqrt(1.0 / n));
  EXPECT_NEAR(moment[2], 1, 4 * std::sqrt(2.0 / n));
  EXPECT_NEAR(moment[3], 0, 4 * std::sqrt(15.0 / n));
  EXPECT_NEAR(moment[4], 3, 4 * std::sqrt(96.0 / n));
  EXPECT_NEAR(static_cast<double>(tail) / n, 0.05, 4 * std::sqrt(0.05 * 0.95 / n));
}

TEST(Random, BelowIsUnbiased) {
  Random random(13, RandomStream::selection);
  constexpr int64_t values = 7, n = 140'000;
  std::array<int64_t, values> count{};
  for (int64_t i = 0; i < n; ++i) {
    const int64_t x = random.below(values);
    ASSERT_TRUE(0 <= x && x < values);
    ++count[static_cast<size_t>(x)];
  }
  double chi_square = 0;
  const double expected = static_cast<double>(n) / values;
  for (const int64_t c : count)
    chi_square += std::pow(static_cast<double>(c) - expected, 2) / expected;
  EXPECT_LT(chi_square, 22.5);  // 6 degrees of freedom, p = 0.001
  EXPECT_EQ(random.below(1), 0);
}

// For a range of two thirds of 2^64 a plain remainder would make the lower half twice as likely.
TEST(Random, BelowIsUnbiasedForHugeRanges) {
  Random random(14, RandomStream::selection);
  constexpr int64_t range = INT64_MAX / 3 * 2;
  constexpr int n = 40'000;
  int low = 0;
  for (int i = 0; i < n; ++i)
    if (random.below(range) < range / 2) ++low;
  EXPECT_NEAR(static_cast<double>(low) / n, 0.5, 4 * std::sqrt(0.25 / n));
}

TEST(Random, ShuffleIsAPermutationAndUniform) {
  std::array<std::array<int, 4>, 4> place_of{};
  constexpr int n = 24'000;
  for (uint64_t i = 0; i < n; ++i) {
    std::vector<size_t> items{0, 1, 2, 3};
    Random(15, RandomStream::order, i).shuffle(items);
    EXPECT_EQ(std::set<size_t>(items.begin(), items.end()).size(), 4U);
    for (size_t place = 0; place < 4; ++place) ++place_of[items[place]][place];
  }
  for (const auto& row : place_of)
    for (const int count : row)
      EXPECT_NEAR(static_cast<double>(count) / n, 0.25, 4.5 * std::sqrt(0.1875 / n));
}

}  // namespace
}  // namespace scion
