#include "scion/training/config/schedule.h"

#include <gtest/gtest.h>

namespace scion {
namespace {

TEST(Schedule, ReachesItsMarks) {
  TrainConfig config;
  config.peak_lr = 1;
  config.warmup = Span::updates(10);
  config.final_lr_share = 0.02;
  EXPECT_NEAR(learning_rate(config, 5, 110, 50), 0.5, 1e-12);
  EXPECT_NEAR(learning_rate(config, 10, 110, 50), 1, 1e-12);
  EXPECT_NEAR(learning_rate(config, 60, 110, 50), 0.51, 1e-12);
  EXPECT_NEAR(learning_rate(config, 110, 110, 50), 0.02, 1e-12);
  config.warmup = Span::epochs(0.2);
  EXPECT_NEAR(learning_rate(config, 5, 110, 50), 0.5, 1e-12);
  config.schedule = Schedule::noam;
  EXPECT_NEAR(learning_rate(config, 40, 110, 50), 0.5, 1e-12);
  config.schedule = Schedule::constant;
  EXPECT_NEAR(learning_rate(config, 90, 110, 50), 1, 1e-12);
}

TEST(Schedule, CopiedParametersHaveTheirOwnRates) {
  TrainConfig config;
  config.peak_lr = 1;
  config.schedule = Schedule::constant;
  config.warmup = Span::updates(10);
  config.copied.warmup = Span::updates(40);
  config.copied.lr_scale = 0.5;
  config.copied.anchor_decay = 0.2;
  config.copied.anchor_until = Span::epochs(2);
  const UpdateRates early = update_rates(config, 20, 200, 50);
  EXPECT_NEAR(early.lr, 1, 1e-12);
  EXPECT_NEAR(early.copied_lr, 0.25, 1e-12);
  EXPECT_NEAR(early.anchor, 0.05, 1e-12);
  EXPECT_NEAR(update_rates(config, 100, 200, 50).anchor, 0.1, 1e-12);
  EXPECT_EQ(update_rates(config, 101, 200, 50).anchor, 0);
  config.copied.anchor_until.reset();
  config.copied.anchor_decay = 100;
  EXPECT_EQ(update_rates(config, 200, 200, 50).anchor, 1);
}

TEST(Schedule, DistillationEndsOrFades) {
  DistillConfig config;
  EXPECT_EQ(distillation_share(config, 0, 200, 50), 0);  // no teacher
  config.teacher = "teacher.safetensors";
  EXPECT_EQ(distillation_share(config, 199, 200, 50), 1);
  config.until = Span::epochs(2);
  EXPECT_EQ(distillation_share(config, 99, 200, 50), 1);
  EXPECT_EQ(distillation_share(config, 100, 200, 50), 0);
  config.fade = true;
  EXPECT_NEAR(distillation_share(config, 25, 200, 50), 0.75, 1e-12);
  EXPECT_EQ(distillation_share(config, 150, 200, 50), 0);
}

}  // namespace
}  // namespace scion
