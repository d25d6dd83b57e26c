// The CTC loss on a device.

#include <gtest/gtest.h>

#include "scion/loss/ctc_loss.h"
#include "tests/loss/device/device_cases.h"

namespace scion {
namespace {

using scion::testing::batch_of;
using scion::testing::Case;
using scion::testing::DeviceTest;
using scion::testing::differentiate;
using scion::testing::expect_near;
using scion::testing::host_device;
using scion::testing::labels_of;
using scion::testing::LossAndGradients;
using scion::testing::make_case;
using scion::testing::Turns;

using DeviceCtcLoss = DeviceTest;

auto ctc_on_device(const Case& c, int64_t blank = 0, Turns turns = Turns::ascending) {
  return [=](const std::vector<at::Tensor>& x) {
    return device_ctc_loss(host_device(turns), x[0], batch_of(c, {.blank = blank}));
  };
}

TEST_F(DeviceCtcLoss, EqualsTheCpuRoute) {
  for (const int64_t blank : {0, 27}) {
    Case c = make_case({25, 30, 1, 8, 2}, {12, 7, 0, 1, 4}, 28);
    c.tokens[1].slice(0, 2, 5).fill_(3);  // repeats
    if (blank == 27) c.tokens = c.tokens.clamp_min(1) - 1;
    at::Tensor logits = at::randn({5, c.T, 28}) * 2;
    logits[0].slice(0, 25).fill_(NAN);  // padding
    const at::Tensor weights = at::tensor({0.5, -1.0, 2.0, 1.0, 1.0}, at::kFloat);
    const auto expected = [&](const std::vector<at::Tensor>& x) {
      return scion::ctc_loss(x[0], labels_of(c), blank);
    };
    const LossAndGradients found = differentiate(ctc_on_device(c, blank), {logits}, weights);
    EXPECT_EQ(found.loss[4].item<float>(), INFINITY);  // four labels in two frames
    expect_near(found, differentiate(expected, {logits}, weights), 2e-6);
  }
}

TEST_F(DeviceCtcLoss, NonFiniteLogitsTouchTheirUtteranceOnly) {
  const Case c = make_case({5, 7}, {2, 3}, 6);
  at::Tensor logits = at::randn({2, c.T, 6});
  const LossAndGradients clean = differentiate(ctc_on_device(c), {logits}, at::ones({2}));
  logits[1][2][3] = NAN;
  const LossAndGradients found = differentiate(ctc_on_device(c), {logits}, at::ones({2}));
  EXPECT_FALSE(std::isfinite(found.loss[1].item<float>()));
  EXPECT_TRUE(at::equal(found.gradients[0][0], clean.gradients[0][0]));
  EXPECT_EQ(found.gradients[0][1].abs().max().item<float>(), 0);
}

TEST_F(DeviceCtcLoss, DoesNotDependOnTheOrderOfThreads) {
  const Case c = make_case({12, 9}, {5, 40}, 20);
  const at::Tensor logits = at::randn({2, c.T, 20});
  const LossAndGradients up = differentiate(ctc_on_device(c), {logits}, at::ones({2}));
  const LossAndGradients down =
      differentiate(ctc_on_device(c, 0, Turns::descending), {logits}, at::ones({2}));
  EXPECT_TRUE(at::equal(up.loss, down.loss));
  EXPECT_TRUE(at::equal(up.gradients[0], down.gradients[0]));
}

}  // namespace
}  // namespace scion
