// The losses from logits and log-probabilities on a device, with kernels that run on the CPU.
#include "scion/loss/device/dispatch.h"

#include <gtest/gtest.h>

#include "scion/loss/transducer_loss.h"
#include "tests/loss/device/device_cases.h"

namespace scion {
namespace {

using scion::testing::batch_of;
using scion::testing::brute_force_transducer;
using scion::testing::Case;
using scion::testing::DeviceTest;
using scion::testing::differentiate;
using scion::testing::expect_near;
using scion::testing::host_device;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::LossAndGradients;
using scion::testing::make_case;
using scion::testing::Turns;

using DeviceLoss = DeviceTest;

at::Tensor on_device(const at::Tensor& logits, const Case& c,
                     const TransducerLossOptions& options = {}, Turns turns = Turns::ascending) {
  return device_transducer_loss(host_device(turns), logits, batch_of(c, options));
}

at::Tensor normal_logits(const Case& c, double scale = 2) {
  return at::randn({c.tokens.size(0), c.T, c.U + 1, c.V}) * scale;
}

TEST_F(DeviceLoss, OfLogitsIsTheSumOverAllAlignments) {
  const Case c = make_case({4, 1, 3, 5, 1, 2}, {3, 2, 0, 2, 0, 4}, 5);
  const at::Tensor logits = normal_logits(c);
  EXPECT_LT(largest_difference(on_device(logits, c), brute_force_transducer(logits, c)), 2e-6);
}

TEST_F(DeviceLoss, OfLogitsEqualsTheCpuRoute) {
  for (const auto& [frames, labels, V] :
       std::vector<std::tuple<std::vector<int64_t>, std::vector<int64_t>, int64_t>>{
           {{1}, {0}, 2}, {{1, 7}, {5, 0}, 3}, {{9, 4, 1}, {2, 6, 0}, 28}, {{5, 11}, {40, 3}, 131}})
    for (const TransducerLossOptions& options :
         {TransducerLossOptions{}, TransducerLossOptions{.fast_emit = 0.3, .delay_penalty = 0.1},
          TransducerLossOptions{.topology = Topology::modified},
          TransducerLossOptions{.fast_emit = 0.3, .topology = Topology::constrained}}) {
      const Case c = make_case(frames, labels, V);
      const at::Tensor logits = normal_logits(c), weights = at::randn({c.tokens.size(0)});
      const auto route = [&](const std::vector<at::Tensor>& x) {
        return on_device(x[0], c, options);
      };
      const auto expected = [&](const std::vector<at::Tensor>& x) {
        return transducer_loss(x[0], labels_of(c), options);
      };
      expect_near(differentiate(route, {logits}, weights),
                  differentiate(expected, {logits}, weights), 2e-6);
    }
}

TEST_F(DeviceLoss, OfLogProbabilitiesEqualsTheCpuRoute) {
  const Case c = make_case({9, 4, 1}, {2, 6, 0}, 28);
  at::Tensor log_probs = normal_logits(c).log_softmax(-1);
  // A class that is neither blank nor the next label is not read.
  log_probs[0][0][0][c.tokens[0][0].item<int64_t>() == 5 ? 6 : 5] = NAN;
  const at::Tensor weights = at::randn({3});
  for (const TransducerLossOptions& options :
       {TransducerLossOptions{},
        TransducerLossOptions{.fast_emit = 0.3, .topology = Topology::constrained}}) {
    const auto route = [&](const std::vector<at::Tensor>& x) {
      return device_log_probs_loss(host_device(), x[0], batch_of(c, options));
    };
    const auto expected = [&](const std::vector<at::Tensor>& x) {
      return transducer_loss_from_log_probs(x[0], labels_of(c), options);
    };
    expect_near(differentiate(route, {log_probs}, weights),
                differentiate(expected, {log_probs}, weights), 2e-6);
  }
}

TEST_F(DeviceLoss, TakesAnyBlank) {
  Case c = make_case({4, 3}, {2, 3}, 6);
  c.tokens = c.tokens.clamp_min(0) - 1;  // labels 0 … 4, blank last
  const at::Tensor logits = normal_logits(c);
  EXPECT_LT(
      largest_difference(on_device(logits, c, {.blank = 5}), brute_force_transducer(logits, c, 5)),
      2e-6);
}

class DeviceLossOfShortNumbers : public DeviceLoss,
                                 public ::testing::WithParamInterface<at::ScalarType> {};
INSTANTIATE_TEST_SUITE_P(All, DeviceLossOfShortNumbers, ::testing::Values(at::kBFloat16, at::kHalf),
                         [](const auto& info) { return std::string(at::toString(info.param)); });

TEST_P(DeviceLossOfShortNumbers, EqualsTheCpuRoute) {
  const Case c = make_case({6, 4}, {3, 2}, 19);
  const at::Tensor logits = normal_logits(c).to(GetParam()), weights = at::ones({2});
  const LossAndGradients found = differentiate(
      [&](const std::vector<at::Tensor>& x) { return on_device(x[0], c); }, {logits}, weights);
  const LossAndGradients expected = differentiate(
      [&](const std::vector<at::Tensor>& x) { return transducer_loss(x[0], labels_of(c)); },
      {logits}, weights);
  EXPECT_EQ(found.gradients[0].scalar_type(), GetParam());
  EXPECT_LT(largest_difference(found.loss, expected.loss), 1e-5);
  EXPECT_LT(largest_difference(found.gradients[0], expected.gradients[0]), 4e-3);
}

TEST_F(DeviceLoss, PaddingHasNoInfluenceAndNoGradient) {
  const Case c = make_case({4, 2}, {1, 3}, 7);
  const at::Tensor clean = normal_logits(c), dirty = clean.clone(), weights = at::ones({2});
  for (int64_t b = 0; b < 2; ++b) {
    dirty[b].slice(0, c.frames[b].item<int64_t>()).fill_(NAN);
    dirty[b].slice(1, c.labels[b].item<int64_t>() + 1).fill_(INFINITY);
  }
  const auto route = [&](const std::vector<at::Tensor>& x) { return on_device(x[0], c); };
  const LossAndGradients expected = differentiate(route, {clean}, weights),
                         found = differentiate(route, {dirty}, weights);
  EXPECT_TRUE(at::equal(found.loss, expected.loss));
  EXPECT_TRUE(at::equal(found.gradients[0], expected.gradients[0]));
}

TEST_F(DeviceLoss, NonFiniteAndImpossibleTouchTheirUtteranceOnly) {
  const Case c = make_case({4, 4, 4, 4}, {2, 2, 2, 2}, 5);
  at::Tensor logits = normal_logits(c);
  logits[0][1][1][3] = NAN;
  logits[1][0][0][2] = INFINITY;
  logits[2].select(2, 0).fill_(-INFINITY);  // no blank at all: no path remains
  logits[3][1][1][0] = -INFINITY;           // one blank is forbidden: other paths remain
  const LossAndGradients found =
      differentiate([&](const std::vector<at::Tensor>& x) { return on_device(x[0], c); }, {logits},
                    at::ones({4}));
  EXPECT_FALSE(std::isfinite(found.loss[0].item<float>()));
  EXPECT_FALSE(std::isfinite(found.loss[1].item<float>()));
  EXPECT_EQ(found.loss[2].item<float>(), INFINITY);
  EXPECT_NEAR(found.loss[3].item<double>(), brute_force_transducer(logits, c)[3].item<double>(),
              1e-5);
  EXPECT_EQ(found.gradients[0].narrow(0, 0, 3).abs().max().item<float>(), 0);
  EXPECT_TRUE(at::isfinite(found.gradients[0]).all().item<bool>());
  EXPECT_GT(found.gradients[0][3].abs().max().item<float>(), 0);
}

}  // namespace
}  // namespace scion
