#include "scion/audio/augmentation/sample_augmentation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "scion/audio/audio_file.h"
#include "scion/core/error.h"
#include "tests/audio/audio_samples.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

constexpr int64_t sound_rate = 16000;

std::vector<float> white_noise(size_t count, uint64_t seed, double amplitude) {
  Random random(seed, RandomStream::corruption);
  std::vector<float> samples(count);
  for (float& value : samples) value = static_cast<float>(amplitude * random.uniform(-1, 1));
  return samples;
}

class Augmented : public ::testing::Test {
 protected:
  Augmented() {
    std::filesystem::create_directories(folder_ / "noise/deep");
    write_wav(folder_ / "noise/long.wav", {white_noise(80000, 1, 0.1), sound_rate});
    write_wav(folder_ / "noise/deep/short.WAV", {white_noise(900, 2, 0.5), sound_rate});
    write_wav(folder_ / "noise/other.wav", {white_noise(12000, 3, 0.02), 8000});
    config_.noise_share = 0;
  }

  std::vector<float> augmented(int64_t epoch, uint64_t utterance, uint64_t seed = 7) const {
    std::vector<float> samples = speech_;
    SampleAugmentation(config_, sound_rate, seed).apply(samples, epoch, utterance);
    return samples;
  }

  void use_noise(double share) {
    config_.noise = folder_ / "noise";
    config_.noise_share = share;
  }

  TemporaryFolder folder_;
  AugmentConfig config_;
  std::vector<float> speech_ = voice(0.8, 3);
};

TEST_F(Augmented, NothingIsChangedUnlessAsked) {
  const SampleAugmentation none({}, sound_rate, 7);
  for (uint64_t utterance = 0; utterance < 50; ++utterance) {
    EXPECT_FALSE(none.changes(0, utterance));
    EXPECT_EQ(augmented(0, utterance), speech_);
  }
}

TEST_F(Augmented, NoiseIsAsLoudAsDrawn) {
  use_noise(1);
  config_.noise_snr_low_db = 8;
  config_.noise_snr_high_db = 14;
  double lowest = 100, highest = -100;
  for (uint64_t utterance = 0; utterance < 60; ++utterance) {
    const std::vector<float> noisy = augmented(2, utterance);
    ASSERT_EQ(noisy.size(), speech_.size());
    const double snr = snr_db(speech_, noisy);
    lowest = std::min(lowest, snr);
    highest = std::max(highest, snr);
  }
  EXPECT_GE(lowest, 8 - 1e-3);
  EXPECT_LE(highest, 14 + 1e-3);
  EXPECT_LT(lowest, 9);
  EXPECT_GT(highest, 13);
}

TEST_F(Augmented, TheShareOfUtterancesIsKept) {
  use_noise(0.3);
  const SampleAugmentation augmentation(config_, sound_rate, 7);
  int changed = 0;
  for (uint64_t utterance = 0; utterance < 2000; ++utterance) {
    const bool changes = augmentation.changes(1, utterance);
    changed += changes;
    if (utterance < 40) {
      EXPECT_EQ(augmented(1, utterance) != speech_, changes) << utterance;
    }
  }
  EXPECT_NEAR(changed, 600, 70);
}

TEST_F(Augmented, VolumeIsAFactorInItsRange) {
  config_.volume_share = 1;
  config_.volume_low_db = -6;
  config_.volume_high_db = 3;
  for (uint64_t utterance = 0; utterance < 30; ++utterance) {
    const std::vector<float> changed = augmented(0, utterance);
    const double factor = std::sqrt(mean_square(changed) / mean_square(speech_));
    EXPECT_GE(20 * std::log10(factor), -6.001);
    EXPECT_LE(20 * std::log10(factor), 3.001);
    for (size_t i = 0; i < speech_.size(); i += 501)
      EXPECT_NEAR(changed[i], factor * double(speech_[i]), 1e-5);
  }
}

TEST_F(Augmented, AMeasuredRoomMovesNothingAndKeepsThePower) {
  // 40 samples of silence, the direct sound, an echo 200 samples later.
  std::vector<float> response(400);
  response[40] = 0.8f;
  response[240] = 0.4f;
  std::filesystem::create_directories(folder_ / "rooms");
  write_wav(folder_ / "rooms/one.wav", {response, sound_rate});
  config_.reverberation_share = 1;
  config_.responses = folder_ / "rooms";
  const std::vector<float> wet = augmented(0, 1);
  std::vector<float> expected = speech_;
  for (size_t i = 200; i < speech_.size(); ++i) expected[i] += 0.5f * speech_[i - 200];
  const double scale = std::sqrt(mean_square(speech_) / mean_square(expected));
  for (size_t i = 0; i < speech_.size(); ++i)
    ASSERT_NEAR(wet[i], scale * double(expected[i]), 1e-4) << i;
}

TEST_F(Augmented, SimulatedRoomsAreDrawnFromAPoolAndKeepThePower) {
  config_.reverberation_share = 1;
  config_.rooms = 3;
  const SampleAugmentation augmentation(config_, sound_rate, 7);
  std::set<std::vector<float>> different;
  for (uint64_t utterance = 0; utterance < 30; ++utterance) {
    std::vector<float> samples = speech_;
    augmentation.apply(samples, 0, utterance);
    EXPECT_NEAR(mean_square(samples) / mean_square(speech_), 1, 1e-4);
    different.insert(samples);
  }
  EXPECT_EQ(different.size(), 3u);
  EXPECT_FALSE(different.contains(speech_));
}

TEST_F(Augmented, FollowsFromSeedEpochAndUtteranceOnly) {
  use_noise(0.8);
  config_.reverberation_share = 0.5;
  config_.rooms = 5;
  config_.volume_share = 0.5;
  const SampleAugmentation shared(config_, sound_rate, 7);
  std::vector<std::vector<float>> together(24, speech_);
  std::vector<std::jthread> threads;
  for (size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (size_t i = t; i < together.size(); i += 4) shared.apply(together[i], 3, i);
    });
  threads.clear();
  int other_seed = 0, other_epoch = 0;
  for (size_t i = 0; i < together.size(); ++i) {
    EXPECT_EQ(together[i], augmented(3, i)) << i;
    other_seed += together[i] != augmented(3, i, 8);
    other_epoch += together[i] != augmented(4, i);
  }
  EXPECT_GT(other_seed, 18);
  EXPECT_GT(other_epoch, 18);
}

TEST_F(Augmented, SilenceAndSilentNoiseAreSafe) {
  std::filesystem::create_directories(folder_ / "silent");
  write_wav(folder_ / "silent/zeros.wav", {std::vector<float>(4000), sound_rate});
  config_.noise = folder_ / "silent";
  config_.noise_share = 1;
  EXPECT_EQ(augmented(0, 0), speech_);
  use_noise(1);
  config_.reverberation_share = 1;
  config_.rooms = 2;
  speech_.assign(5000, 0);
  EXPECT_EQ(augmented(0, 0), speech_);
  speech_.clear();
  EXPECT_TRUE(augmented(0, 0).empty());
}

TEST_F(Augmented, AFileThatCannotBeReadIsLeftOut) {
  use_noise(1);
  const std::vector<float> noisy = augmented(0, 1);
  write_text(folder_ / "noise/._long.wav", "left by a Mac");
  write_text(folder_ / "noise/.hidden/a.wav", "no audio");
  EXPECT_EQ(augmented(0, 1), noisy);
  write_text(folder_ / "noise/aaa.wav", "no audio");
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(augmented(0, 1), noisy);
  const std::string warnings = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(warnings, HasSubstr("aaa.wav"));
  EXPECT_THAT(warnings, HasSubstr("1 of 4 files"));
}

TEST_F(Augmented, AFileThatTurnsOutToBeBrokenIsReplaced) {
  const std::vector<float> samples(8000, NAN);
  write_sound(folder_ / "broken/a.wav", samples, SF_FORMAT_WAV | SF_FORMAT_FLOAT);
  config_.noise = folder_ / "broken";
  config_.noise_share = 1;
  EXPECT_THROW(augmented(0, 1), UserError);
  write_wav(folder_ / "broken/b.wav", {white_noise(9000, 1, 0.1), sound_rate});
  for (uint64_t utterance = 0; utterance < 8; ++utterance)
    EXPECT_NE(augmented(0, utterance), speech_);
}

TEST_F(Augmented, FoldersWithoutAudioAreRefused) {
  std::filesystem::create_directories(folder_ / "empty");
  config_.noise_share = 1;
  for (const char* name : {"empty", "missing"}) {
    config_.noise = folder_ / name;
    EXPECT_THAT(
        error_of<UserError>([&] { const SampleAugmentation refused(config_, sound_rate, 1); }),
        HasSubstr("augment.noise"));
  }
  config_.noise.clear();
  config_.noise_snr_low_db = 30;
  EXPECT_THROW(const SampleAugmentation refused(config_, sound_rate, 1), UserError);
}

}  // namespace
}  // namespace scion
