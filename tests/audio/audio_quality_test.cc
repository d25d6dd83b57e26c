#include "scion/audio/audio_quality.h"

#include <gtest/gtest.h>

#include "scion/audio/audio_file.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

std::vector<float> scaled(std::vector<float> samples, float factor) {
  for (float& x : samples) x *= factor;
  return samples;
}

std::vector<float> stereo(const std::vector<float>& left, const std::vector<float>& right) {
  std::vector<float> both;
  for (size_t i = 0; i < left.size(); ++i) both.insert(both.end(), {left[i], right[i]});
  return both;
}

AudioQuality quality_of(const std::vector<float>& samples, int channels = 1,
                        const AudioPart& part = {}) {
  const TemporaryFolder folder;
  write_sound(folder / "a.wav", samples, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, channels);
  AudioQuality quality;
  read_audio(folder / "a.wav", 16000, part, &quality);
  return quality;
}

TEST(AudioQuality, SpeechHasNoFault) {
  const AudioQuality quality = quality_of(voice(1, 1, 8000));
  EXPECT_FALSE(quality.is_unscaled() || quality.is_beyond_full_scale() || quality.is_clipped() ||
               quality.is_silent() || quality.is_cancelled());
  EXPECT_EQ(quality.averaged_channels, 1);
  EXPECT_NEAR(quality.power, mean_square(voice(1, 1, 8000)), 1e-6);
}

TEST(AudioQuality, SamplesBeyondFullScale) {
  EXPECT_FALSE(quality_of(scaled(voice(1, 1, 8000), 1.5f)).is_beyond_full_scale());
  EXPECT_TRUE(quality_of(scaled(voice(1, 1, 8000), 6)).is_beyond_full_scale());
  const AudioQuality integers = quality_of(scaled(voice(1, 1, 8000), 32768));
  EXPECT_TRUE(integers.is_unscaled());
  EXPECT_FALSE(integers.is_beyond_full_scale() || integers.is_clipped());
}

TEST(AudioQuality, ClippingIsTwoFullSamplesInARow) {
  std::vector<float> samples = voice(1, 1, 8000);
  for (size_t i = 0; i < samples.size(); i += 40) samples[i] = 1;
  EXPECT_EQ(quality_of(samples).clipped_share, 0);
  for (size_t i = 1; i < samples.size(); i += 40) samples[i] = 32767.f / 32768;
  EXPECT_NEAR(quality_of(samples).clipped_share, 1 / 40., 1e-9);
  EXPECT_TRUE(quality_of(samples).is_clipped());
}

TEST(AudioQuality, SilenceIsBelowMinusSixtyDecibels) {
  EXPECT_TRUE(quality_of(std::vector<float>(4000)).is_silent());
  const float level = float(std::sqrt(1e-6 / mean_square(voice(1, 1, 8000))));
  EXPECT_TRUE(quality_of(scaled(voice(1, 1, 8000), 0.98f * level)).is_silent());
  EXPECT_FALSE(quality_of(scaled(voice(1, 1, 8000), 1.02f * level)).is_silent());
}

TEST(AudioQuality, ChannelsThatCancelEachOther) {
  const std::vector<float> left = voice(1, 1, 8000), other = voice(1, 2, 8000);
  EXPECT_TRUE(quality_of(stereo(left, scaled(left, -1)), 2).is_cancelled());
  EXPECT_FALSE(quality_of(stereo(left, other), 2).is_cancelled());
  EXPECT_FALSE(quality_of(stereo(left, std::vector<float>(left.size())), 2).is_cancelled());
  EXPECT_FALSE(quality_of(std::vector<float>(4000), 2).is_cancelled());
  const AudioQuality one = quality_of(stereo(left, scaled(left, -1)), 2, {.channel = 1});
  EXPECT_FALSE(one.is_cancelled());
  EXPECT_EQ(one.averaged_channels, 1);
  EXPECT_EQ(quality_of(stereo(left, other), 2).averaged_channels, 2);
}

}  // namespace
}  // namespace scion
