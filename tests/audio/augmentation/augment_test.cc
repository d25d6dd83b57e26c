#include "scion/audio/augmentation/augment.h"

#include <gtest/gtest.h>

namespace scion {
namespace {

at::Tensor masked(const AugmentConfig& config, uint64_t utterance) {
  Random random(7, RandomStream::spec_augment, 3, utterance);
  at::Tensor features = at::zeros({200, 80});
  spec_augment(config, random, features, at::arange(1, 81, at::kFloat));
  return features;
}

TEST(Augment, MasksAreWithinTheirWidthsAndHoldTheFill) {
  AugmentConfig config;
  for (uint64_t utterance = 0; utterance < 200; ++utterance) {
    config.frequency_masks = 1;
    config.time_masks = 0;
    at::Tensor bins = masked(config, utterance);
    const at::Tensor row = bins[0];
    EXPECT_TRUE(bins.eq(row).all().item<bool>());  // whole columns
    EXPECT_LE(row.ne(0).sum().item<int64_t>(), config.frequency_width);
    EXPECT_TRUE(row.eq(0).logical_or(row.eq(at::arange(1, 81))).all().item<bool>());
    config.frequency_masks = 0;
    config.time_masks = 1;
    const at::Tensor frames = masked(config, utterance).select(1, 4);
    EXPECT_LE(frames.ne(0).sum().item<int64_t>(), 20);  // 10 % of 200
    EXPECT_TRUE(frames.eq(0).logical_or(frames.eq(5)).all().item<bool>());
  }
}

TEST(Augment, DependsOnTheCounterOnly) {
  const AugmentConfig config;
  EXPECT_TRUE(masked(config, 5).equal(masked(config, 5)));
  int64_t different = 0;
  for (uint64_t i = 0; i < 20; ++i) different += !masked(config, i).equal(masked(config, i + 1));
  EXPECT_GE(different, 15);
}

TEST(Augment, MasksOfEveryWidthUpToTheWidestOccurEquallyOften) {
  AugmentConfig config;
  config.time_masks = 0;
  config.frequency_width = 3;
  std::map<int64_t, int> counts;
  for (uint64_t i = 0; i < 4000; ++i) ++counts[masked(config, i)[0].ne(0).sum().item<int64_t>()];
  ASSERT_EQ(counts.size(), 4u);
  for (const auto& [width, count] : counts) EXPECT_NEAR(count, 1000, 150) << width;
}

TEST(Augment, ShortOrNarrowFeaturesAreSafe) {
  AugmentConfig config;
  config.frequency_width = 500;
  config.time_share = 1;
  for (uint64_t i = 0; i < 50; ++i) {
    Random random(1, RandomStream::spec_augment, 0, i);
    at::Tensor features = at::zeros({1, 2});
    spec_augment(config, random, features, at::ones({2}));
    EXPECT_TRUE(features.isfinite().all().item<bool>());
  }
}

TEST(Augment, SpeedsAreDrawnEvenlyAndReproducibly) {
  const AugmentConfig config;
  std::map<double, int> counts;
  for (uint64_t i = 0; i < 3000; ++i) {
    const double speed = draw_speed(config.speeds, 11, 2, i);
    EXPECT_EQ(speed, draw_speed(config.speeds, 11, 2, i));
    ++counts[speed];
  }
  ASSERT_EQ(counts.size(), 3u);
  for (const auto& [speed, count] : counts) EXPECT_NEAR(count, 1000, 130) << speed;
}

TEST(Augment, WithoutSpeedsNothingChanges) {
  AugmentConfig config;
  config.speeds.clear();
  EXPECT_EQ(draw_speed(config.speeds, 1, 1, 1), 1);
}

TEST(TimeWarp, StretchesOneSideAndSqueezesTheOther) {
  AugmentConfig config;
  config.time_warp = 20;
  // A ramp shows which place every frame came from.
  const at::Tensor ramp = at::arange(200, at::kFloat).unsqueeze(1).expand({200, 3});
  std::set<int64_t> moves;
  for (uint64_t i = 0; i < 300; ++i) {
    Random random(1, RandomStream::time_warp, 0, i);
    const at::Tensor warped = time_warp(config, random, ramp);
    ASSERT_EQ(warped.sizes(), ramp.sizes());
    const at::Tensor place = warped.select(1, 0);
    EXPECT_TRUE(warped.select(1, 2).equal(place));
    EXPECT_EQ(place[0].item<float>(), 0);
    EXPECT_EQ(place[199].item<float>(), 199);
    const at::Tensor moved = (place - at::arange(200)).abs();
    EXPECT_LE(moved.max().item<float>(), 20.001f);
    moves.insert(std::lround(moved.max().item<float>()));
    // Two straight pieces: the slope changes once.
    const at::Tensor slope = place.diff();
    EXPECT_GT(slope.min().item<float>(), 0);
    EXPECT_LE(slope.diff().abs().gt(1e-3).sum().item<int64_t>(), 2);
  }
  EXPECT_GE(moves.size(), 18u);
}

TEST(TimeWarp, IsOffByDefaultAndForShortUtterances) {
  AugmentConfig config;
  const at::Tensor features = at::rand({30, 4});
  Random random(1, RandomStream::time_warp);
  EXPECT_TRUE(time_warp(config, random, features).equal(features));
  config.time_warp = 15;
  EXPECT_TRUE(time_warp(config, random, features).equal(features));
  config.time_warp = 14;
  for (int i = 0; i < 200; ++i)
    EXPECT_TRUE(time_warp(config, random, features).isfinite().all().item<bool>());
}

}  // namespace
}  // namespace scion
