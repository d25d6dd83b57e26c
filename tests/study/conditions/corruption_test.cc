#include "scion/study/conditions/corruption.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/audio/audio_samples.h"

namespace scion {
namespace {

/// A condition that changes nothing: tests turn on one thing each.
CorruptionConfig nothing() {
  CorruptionConfig config;
  config.noise_snr_low_db = config.noise_snr_high_db = 100;
  config.babble_snr_low_db = config.babble_snr_high_db = 100;
  config.reverberation_seconds_low = config.reverberation_seconds_high = 0;
  config.speed_low = config.speed_high = 1;
  return config;
}

TEST(Corrupt, SameRecipeSameSamples) {
  const std::vector<float> speech = voice(1, 1);
  const std::vector<std::vector<float>> others = {voice(0.7, 2), voice(2, 3)};
  const CorruptionConfig config;
  const auto once = corrupt(speech, 16000, others, config, 5);
  EXPECT_EQ(once, corrupt(speech, 16000, others, config, 5));
  EXPECT_NE(once, corrupt(speech, 16000, others, config, 6));
  CorruptionConfig other_seed = config;
  other_seed.seed = 2;
  EXPECT_NE(once, corrupt(speech, 16000, others, other_seed, 5));
}

TEST(Corrupt, NoiseAndBabbleHaveTheWantedLevels) {
  const std::vector<float> speech = voice(2, 1);
  CorruptionConfig config = nothing();
  config.noise_snr_low_db = config.noise_snr_high_db = 12;
  EXPECT_NEAR(snr_db(speech, corrupt(speech, 16000, {}, config, 1)), 12, 0.01);
  config = nothing();
  config.babble_snr_low_db = config.babble_snr_high_db = 7;
  const std::vector<std::vector<float>> others = {voice(0.3, 2), voice(3, 3), {}};
  EXPECT_NEAR(snr_db(speech, corrupt(speech, 16000, others, config, 1)), 7, 0.01);
}

TEST(Corrupt, LevelsAreDrawnBetweenTheirBounds) {
  const std::vector<float> speech = voice(0.5, 1);
  CorruptionConfig config = nothing();
  config.noise_snr_low_db = 5;
  config.noise_snr_high_db = 20;
  double lowest = 100, highest = 0;
  for (uint64_t utterance = 0; utterance < 40; ++utterance) {
    const double level = snr_db(speech, corrupt(speech, 16000, {}, config, utterance));
    lowest = std::min(lowest, level);
    highest = std::max(highest, level);
  }
  EXPECT_GT(lowest, 4.9);
  EXPECT_LT(lowest, 8);
  EXPECT_LT(highest, 20.1);
  EXPECT_GT(highest, 17);
}

TEST(Corrupt, PinkNoiseHasEqualPowerInEveryOctave) {
  CorruptionConfig config = nothing();
  config.noise_snr_low_db = config.noise_snr_high_db = 0;
  const std::vector<float> speech = voice(8, 1);
  const auto noise = difference(corrupt(speech, 16000, {}, config, 3), speech);
  const at::Tensor spectrum = at::fft_rfft(at::tensor(at::ArrayRef<float>(noise))).abs().square();
  const auto octave = [&](double hertz) {
    const auto first = int64_t(hertz * 8), size = int64_t(hertz * 8);
    return spectrum.narrow(0, first, size).sum().item<double>();
  };
  const double reference = octave(1000);
  for (const double hertz : {250.0, 500.0, 2000.0, 3500.0})
    EXPECT_NEAR(octave(hertz) / reference, 1, 0.15) << hertz;
  EXPECT_LT(spectrum.narrow(0, 0, 8 * 40).sum().item<double>(), 0.01 * reference);
}

TEST(Corrupt, ReverberationDecaysAsAsked) {
  std::vector<float> click(16000);
  click[0] = 0.5f;
  CorruptionConfig config = nothing();
  config.reverberation_seconds_low = config.reverberation_seconds_high = 0.4;
  config.direct_to_reverberant_low_db = config.direct_to_reverberant_high_db = 6;
  const auto response = corrupt(click, 16000, {}, config, 1);
  ASSERT_EQ(response.size(), click.size());
  EXPECT_NEAR(response[0], 0.5, 1e-3);
  const auto tail = [&](double from, double to) {
    const std::vector<float> part(response.begin() + int64_t(from * 16000) + 1,
                                  response.begin() + int64_t(to * 16000));
    return mean_square(part);
  };
  const double reflected = tail(0, 0.4) * 0.4 * 16000;
  EXPECT_NEAR(10 * std::log10(0.25 / reflected), 6, 0.2);
  // 60 dB in 0.4 s are 15 dB in 0.1 s.
  EXPECT_NEAR(10 * std::log10(tail(0, 0.1) / tail(0.1, 0.2)), 15, 1);
  EXPECT_LT(tail(0.41, 0.9), 1e-8);
}

TEST(Corrupt, SpeedChangesTheLength) {
  CorruptionConfig config = nothing();
  config.speed_low = config.speed_high = 1.25;
  EXPECT_EQ(corrupt(voice(1, 1), 16000, {}, config, 1).size(), 12800u);
}

TEST(Corrupt, SilenceStaysSilentAndLoudSpeechInRange) {
  const CorruptionConfig config;
  for (const float x : corrupt(std::vector<float>(4000), 16000, {voice(1, 1)}, config, 1))
    ASSERT_EQ(x, 0);
  std::vector<float> loud = voice(0.5, 1);
  for (float& x : loud) x = x > 0 ? 1 : -1;
  for (const float x : corrupt(loud, 16000, {voice(1, 2)}, config, 1)) {
    ASSERT_TRUE(std::isfinite(x));
    ASSERT_LE(std::abs(x), 1);
  }
  EXPECT_TRUE(corrupt({}, 16000, {}, config, 1).empty());
  EXPECT_EQ(corrupt({0.5f}, 16000, {}, config, 1).size(), 1u);
}

TEST(Corrupt, RefusesBoundsInTheWrongOrder) {
  CorruptionConfig config;
  config.noise_snr_low_db = 30;
  EXPECT_THROW(corrupt({0.1f}, 16000, {}, config, 1), UserError);
}

}  // namespace
}  // namespace scion
