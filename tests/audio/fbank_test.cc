#include "scion/audio/fbank.h"

#include <gtest/gtest.h>

#include <numbers>

#include "scion/core/error.h"
#include "scion/core/files/safetensors.h"
#include "scion/core/random.h"

namespace scion {
namespace {

struct Setting {
  const char* name;
  FeatureConfig config;
};

std::vector<Setting> settings() {
  FeatureConfig kaldi;
  kaldi.high_frequency = 0;
  kaldi.snip_edges = true;
  kaldi.sample_scale = 32768;
  FeatureConfig hamming = kaldi;
  hamming.bins = 40;
  hamming.use_energy = true;
  hamming.window = WindowShape::hamming;
  return {{"icefall", {}}, {"kaldi_default80", kaldi}, {"hamming_energy40", hamming}};
}

const SafeTensors& golden() {
  static const SafeTensors content =
      read_safetensors(SCION_SOURCE_DIR "/tests/golden/fbank/fbank.safetensors");
  return content;
}

at::Tensor golden_samples(const std::string& name) {
  return golden().at(name + ".samples_int16").to(at::kFloat) / 32768;
}

at::Tensor noise(int64_t count, uint64_t seed) {
  Random random(seed, RandomStream::corruption);
  at::Tensor samples = at::empty({count});
  for (int64_t i = 0; i < count; ++i)
    samples[i] = 0.1 * random.normal() + 0.2 * std::sin(0.05 * double(i));
  return samples;
}

TEST(Fbank, EqualsKaldiNativeFbank) {
  int compared = 0;
  for (const Setting& setting : settings())
    for (const std::string name : {"synth", "synth_short", "an4"}) {
      const std::string key = name + "." + setting.name + ".knf";
      if (!golden().contains(key)) continue;
      const at::Tensor expected = golden().at(key);
      const at::Tensor features = Fbank(setting.config).compute(golden_samples(name));
      ASSERT_EQ(features.sizes(), expected.sizes()) << key;
      ++compared;
      if (expected.numel() == 0) continue;
      const at::Tensor difference = (features - expected).abs();
      EXPECT_LT(difference.mean().item<double>(), 2e-5) << key;
      EXPECT_LT(difference.max().item<double>(), 3e-3) << key;
    }
  EXPECT_EQ(compared, 7);
}

TEST(Fbank, AnUtteranceIsTheSameAloneAndInABatch) {
  for (const Setting& setting : settings()) {
    const Fbank fbank(setting.config);
    const std::vector<int64_t> lengths = {9000, 16000, 100, 391, 0, 15999};
    at::Tensor samples = at::full({6, 16000}, 0.7);  // samples past an end must not matter
    for (int64_t b = 0; b < 6; ++b)
      samples[b].narrow(0, 0, lengths[size_t(b)]).copy_(noise(lengths[size_t(b)], uint64_t(b)));
    const at::Tensor batch = fbank.compute(samples, lengths);
    ASSERT_EQ(batch.size(1), fbank.frame_count(16000));
    for (int64_t b = 0; b < 6; ++b) {
      const int64_t length = lengths[size_t(b)], frames = fbank.frame_count(length);
      const at::Tensor alone = fbank.compute(samples[b].narrow(0, 0, length));
      ASSERT_EQ(alone.size(0), frames);
      EXPECT_TRUE(at::equal(batch[b].narrow(0, 0, frames), alone)) << setting.name;
      const at::Tensor padding = batch[b].narrow(0, frames, batch.size(1) - frames);
      EXPECT_TRUE(padding.eq(feature_floor).all().item<bool>());
    }
  }
}

TEST(Fbank, LongSignalsDoNotDependOnBlocks) {
  const Fbank fbank{FeatureConfig()};
  const at::Tensor samples = noise(160 * 700, 3);
  const at::Tensor whole = fbank.compute(samples);
  ASSERT_EQ(whole.size(0), 700);
  // Frames far from the ends see the same samples when the signal starts 200 frames later.
  const at::Tensor later = fbank.compute(samples.narrow(0, 160 * 200, 160 * 500));
  EXPECT_TRUE(at::equal(whole.narrow(0, 210, 480), later.narrow(0, 10, 480)));
}

TEST(Fbank, SilenceIsAtTheFloor) {
  for (const Setting& setting : settings()) {
    const at::Tensor features = Fbank(setting.config).compute(at::zeros({8000}));
    EXPECT_TRUE(features.eq(feature_floor).all().item<bool>()) << setting.name;
  }
}

TEST(Fbank, OneSampleIsNoFrameAndNoError) {
  const Fbank fbank{FeatureConfig()};
  EXPECT_EQ(fbank.compute(at::ones({1})).size(0), 0);
  EXPECT_EQ(fbank.compute(at::ones({80})).size(0), 1);
  EXPECT_TRUE(fbank.compute(at::ones({80})).isfinite().all().item<bool>());
}

TEST(Fbank, ATonePeaksInItsBank) {
  FeatureConfig config;
  const Fbank fbank(config);
  const auto mel = [](double hertz) { return 1127 * std::log1p(hertz / 700); };
  for (const double hertz : {300.0, 1000.0, 4000.0}) {
    const at::Tensor tone =
        at::sin(at::arange(16000, at::kDouble) * (2 * std::numbers::pi * hertz / 16000));
    const int64_t bin = fbank.compute(tone.to(at::kFloat)).mean(0).argmax().item<int64_t>();
    const double expected = (mel(hertz) - mel(20)) / (mel(7600) - mel(20)) * 81 - 1;
    EXPECT_NEAR(double(bin), expected, 1.0) << hertz;
  }
}

TEST(Fbank, OtherRatesAndFrameLengths) {
  FeatureConfig config;
  config.sample_rate = 8000;
  config.frame_length_ms = 32;
  config.frame_shift_ms = 16;
  config.bins = 40;
  const Fbank fbank(config);
  EXPECT_EQ(fbank.compute(noise(8000, 1)).sizes(), (at::IntArrayRef{63, 40}));
}

TEST(Fbank, RefusesImpossibleSettings) {
  FeatureConfig config;
  config.sample_rate = 8000;
  config.high_frequency = 7600;
  EXPECT_THROW(Fbank{config}, UserError);
  config = {};
  config.snip_edges = true;
  config.padding = EdgePadding::zero;
  EXPECT_THROW(Fbank{config}, UserError);
}

}  // namespace
}  // namespace scion
