#include "scion/audio/augmentation/mixing.h"

#include <gtest/gtest.h>

namespace scion {
namespace {

TEST(Mixing, ConvolutionIsTheSumOfShiftedCopies) {
  at::manual_seed(1);
  for (const auto type : {at::kFloat, at::kDouble}) {
    const at::Tensor signal = at::randn({300}, type), response = at::randn({37}, type);
    at::Tensor expected = at::zeros({300}, type);
    for (int64_t k = 0; k < 37; ++k)
      expected.narrow(0, k, 300 - k).add_(signal.narrow(0, 0, 300 - k) * response[k]);
    const at::Tensor found = convolve(signal, response);
    EXPECT_EQ(found.scalar_type(), type);
    EXPECT_LT((found - expected).abs().max().item<double>(), type == at::kFloat ? 1e-4 : 1e-12);
  }
  // A response longer than the signal, and a single sample, which changes nothing but the scale.
  EXPECT_EQ(convolve(at::ones({3}), at::ones({50})).size(0), 3);
  EXPECT_TRUE(convolve(at::ones({3}), at::full({1}, 2.f)).allclose(at::full({3}, 2.f)));
}

TEST(Mixing, NoiseIsScaledToTheRatio) {
  at::manual_seed(2);
  const at::Tensor speech = at::randn({5000}, at::kDouble), noise = at::randn({5000}, at::kDouble);
  for (const double snr : {-3.0, 0.0, 20.0}) {
    at::Tensor mixed = speech.clone();
    add_at_snr(mixed, noise * 7, mean_power(speech), snr);
    EXPECT_NEAR(10 * std::log10(mean_power(speech) / mean_power(mixed - speech)), snr, 1e-9);
  }
  at::Tensor same = speech.clone();
  add_at_snr(same, at::zeros({5000}, at::kDouble), 1, 0);
  EXPECT_TRUE(same.equal(speech));
}

TEST(Mixing, PowersOfTwo) {
  EXPECT_EQ(power_of_two_from(1), 1);
  EXPECT_EQ(power_of_two_from(5), 8);
  EXPECT_EQ(power_of_two_from(64), 64);
  EXPECT_EQ(mean_power(at::empty({0})), 0);
}

}  // namespace
}  // namespace scion
