// The fused joiner over a band of states on a device.

#include <gtest/gtest.h>

#include "scion/loss/lattice_loss.h"
#include "scion/loss/pruned_loss.h"
#include "tests/core/peak_memory.h"
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
using scion::testing::joiner_of;
using scion::testing::kMuchWorkspace;
using scion::testing::kTopologies;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::LossAndGradients;
using scion::testing::make_case;
using scion::testing::random_joiner;
using scion::testing::Turns;

class DeviceBand : public DeviceTest {
 protected:
  /// `width` states per frame that climb from the first to the last, (B, T, W).
  static at::Tensor climbing(const Case& c, int64_t width) {
    const at::Tensor last = (c.labels + 1 - width).clamp_min(0).unsqueeze(1);
    const at::Tensor frame = at::arange(c.T).unsqueeze(0), frames = c.frames.unsqueeze(1);
    const at::Tensor first = (last * frame).div((frames - 1).clamp_min(1), "floor");
    return states_from(at::minimum(first, last), width);
  }
  /// Anywhere, whether or not an alignment can follow.
  static at::Tensor random_band(const Case& c, int64_t width) {
    return states_from(at::randint(0, c.U + 2 - width, {c.tokens.size(0), c.T}, at::kLong), width);
  }
  static at::Tensor states_from(const at::Tensor& first, int64_t width) {
    return first.unsqueeze(2) + at::arange(width);
  }
};

auto band_on_device(const Case& c, const at::Tensor& ranges, const TransducerLossOptions& options,
                    int64_t workspace = kMuchWorkspace, Turns turns = Turns::ascending) {
  return [=](const std::vector<at::Tensor>& x) {
    return device_pruned_joiner_loss(host_device(turns), joiner_of(x), ranges, batch_of(c, options),
                                     {options.bf16, workspace});
  };
}

auto band_on_cpu(const Case& c, const at::Tensor& ranges, const TransducerLossOptions& options) {
  return [=](const std::vector<at::Tensor>& x) {
    return pruned_joiner_loss(joiner_of(x), ranges, labels_of(c), options);
  };
}

/// In float64 from all logits, with arcs outside the band forbidden. FastEmit is the gradient of a
/// share of the loss through the labels' arcs alone.
auto band_by_definition(const Case& c, const at::Tensor& ranges,
                        const TransducerLossOptions& options) {
  return [=](const std::vector<at::Tensor>& x) {
    const auto wide = [&](size_t i) { return x[i].to(at::kDouble); };
    const at::Tensor log_probs =
        at::linear(at::tanh(wide(0).unsqueeze(2) + wide(1).unsqueeze(1)), wide(2), wide(3))
            .log_softmax(-1);
    const at::Tensor next = c.tokens.clamp_min(0).unsqueeze(1).unsqueeze(3);
    const at::Tensor outside = scion::testing::nodes_of(ranges, c).logical_not();
    const at::Tensor early =
        ((c.frames - 1).unsqueeze(1) / 2.0 - at::arange(c.T)).unsqueeze(2) * options.delay_penalty;
    const at::Tensor blank = log_probs.select(3, options.blank).masked_fill(outside, -INFINITY);
    at::Tensor label = log_probs.narrow(2, 0, c.U)
                           .gather(3, next.expand({-1, c.T, -1, 1}))
                           .squeeze(3)
                           .masked_fill(outside.narrow(2, 0, c.U), -INFINITY) +
                       early;
    if (options.topology == Topology::constrained) label = label + blank.narrow(2, 1, c.U);
    const auto loss = [&](const at::Tensor& labels) {
      return lattice_loss({blank, labels}, labels_of(c), options.topology);
    };
    const at::Tensor exact = loss(label);
    if (options.fast_emit == 0) return exact.to(at::kFloat);
    const at::Tensor extra = exact - loss(label.detach());
    return (exact + options.fast_emit * at::where(exact.isfinite(), extra, 0)).to(at::kFloat);
  };
}

TEST_F(DeviceBand, IsTheSumOverTheAlignmentsWithin) {
  const Case c = make_case({3, 1, 2, 0, 2}, {2, 1, 3, 1, 0}, 4);
  const at::Tensor ranges = climbing(c, 2);
  const std::vector<at::Tensor> joiner = random_joiner(c, 3);
  const at::Tensor weights = at::tensor({0.5, -2.0, 1.5, 1.0, 1.0}, at::kFloat);
  for (const Topology topology : kTopologies) {
    const auto by_definition = [&](const std::vector<at::Tensor>& x) {
      const at::Tensor logits =
          at::linear(at::tanh(x[0].unsqueeze(2) + x[1].unsqueeze(1)), x[2], x[3]);
      return brute_force_transducer(logits, c, 0, topology, scion::testing::nodes_of(ranges, c));
    };
    const LossAndGradients found =
        differentiate(band_on_device(c, ranges, {.topology = topology}), joiner, weights);
    const at::Tensor expected = by_definition(joiner);
    EXPECT_TRUE(at::allclose(found.loss.to(at::kDouble), expected, 2e-6, 2e-6))
        << found.loss << expected;
    // The third utterance's two frames have the states 0, 1 and 2, 3: no arc connects them.
    EXPECT_TRUE(at::equal(found.loss.isinf(), at::tensor({0, 0, 1, 1, 0}).to(at::kBool)));
    for (size_t i = 0; i < 4; ++i) {
      const auto loss = [&](const at::Tensor& changed) {
        std::vector<at::Tensor> x;
        for (const at::Tensor& given : joiner) x.push_back(given.to(at::kDouble));
        x[i] = changed;
        const at::Tensor losses = by_definition(x);
        return (losses.masked_fill(losses.isinf(), 0) * weights).sum().item<double>();
      };
      EXPECT_LT(largest_difference(found.gradients[i],
                                   scion::testing::finite_differences(loss, joiner[i])),
                3e-6)
          << "tensor " << i;
    }
  }
}

TEST_F(DeviceBand, EqualsTheCpuRouteAndTheDefinition) {
  for (const auto& [frames, labels, V, D] :
       std::vector<std::tuple<std::vector<int64_t>, std::vector<int64_t>, int64_t, int64_t>>{
           {{1}, {0}, 2, 1},
           {{9, 3, 1, 0}, {4, 0, 5, 1}, 28, 40},
           {{16, 12, 11, 5}, {13, 10, 3, 1}, 61, 37},
           {{25}, {20}, 130, 8}})
    for (const Topology topology : kTopologies)
      for (const int64_t width : {1, 4, 22}) {
        const TransducerLossOptions options{.fast_emit = width == 4 ? 0.3 : 0,
                                            .delay_penalty = width == 4 ? 0.1 : 0,
                                            .topology = topology};
        const Case c = make_case(frames, labels, V);
        const at::Tensor ranges = climbing(c, std::min(width, c.U + 1));
        const std::vector<at::Tensor> joiner = random_joiner(c, D);
        const at::Tensor weights = at::randn({c.tokens.size(0)});
        const LossAndGradients found =
            differentiate(band_on_device(c, ranges, options), joiner, weights);
        expect_near(found, differentiate(band_on_cpu(c, ranges, options), joiner, weights), 3e-6);
        expect_near(found, differentiate(band_by_definition(c, ranges, options), joiner, weights),
                    3e-6);
      }
}

// Bands that fall, jump, and miss the start, the end or both; many have no alignment.
TEST_F(DeviceBand, MayBeAnywhere) {
  const auto number = [](int64_t low, int64_t high) {
    return at::randint(low, high + 1, {1}, at::kLong).item<int64_t>();
  };
  int64_t possible = 0, impossible = 0;
  for (int round = 0; round < 18; ++round) {
    std::vector<int64_t> frames, labels;
    for (int64_t b = number(1, 5); b > 0; --b) {
      frames.push_back(number(0, 9));
      labels.push_back(number(0, 6));
    }
    const Case c = make_case(frames, labels, number(2, 40));
    const TransducerLossOptions options{.fast_emit = round % 2 == 0 ? 0.2 : 0,
                                        .topology = kTopologies[round % 3]};
    const at::Tensor ranges = random_band(c, number(std::max<int64_t>(1, c.U - 1), c.U + 1));
    const std::vector<at::Tensor> joiner = random_joiner(c, 6);
    const at::Tensor weights = at::randn({c.tokens.size(0)});
    const LossAndGradients found =
        differentiate(band_on_device(c, ranges, options, 0), joiner, weights);
    expect_near(found, differentiate(band_on_cpu(c, ranges, options), joiner, weights), 5e-6);
    expect_near(found, differentiate(band_by_definition(c, ranges, options), joiner, weights),
                5e-6);
    impossible += found.loss.isposinf().sum().item<int64_t>();
    possible += found.loss.isfinite().sum().item<int64_t>();
  }
  EXPECT_GT(possible, 10);
  EXPECT_GT(impossible, 10);
}

TEST_F(DeviceBand, TakesAnyBlank) {
  Case c = make_case({6, 5}, {4, 3}, 6);
  c.tokens = c.tokens.clamp_min(0) - 1;  // labels 0 … 4, blank last
  c.tokens = c.tokens.clamp_min(0);
  const at::Tensor ranges = climbing(c, 3);
  const std::vector<at::Tensor> joiner = random_joiner(c, 8);
  const TransducerLossOptions options{.blank = 5};
  expect_near(differentiate(band_on_device(c, ranges, options), joiner, at::ones({2})),
              differentiate(band_by_definition(c, ranges, options), joiner, at::ones({2})), 3e-6);
}

TEST_F(DeviceBand, IsTheSameInAnyWorkspace) {
  const Case c = make_case({100, 47, 1, 60}, {60, 29, 0, 2}, 9);
  const at::Tensor ranges = climbing(c, 5);
  const std::vector<at::Tensor> joiner = random_joiner(c, 8);
  const at::Tensor weights = at::randn({4});
  const LossAndGradients expected = differentiate(band_on_cpu(c, ranges, {}), joiner, weights);
  // 1040 nodes need 96 bytes each in a slot and 32 while they are processed.
  for (const int64_t workspace : {0, 60000, 110000, 133632}) {
    const auto route = band_on_device(c, ranges, {}, workspace);
    expect_near(differentiate(route, joiner, weights), expected, 3e-6);
    EXPECT_TRUE(at::equal(route(joiner), differentiate(route, joiner, weights).loss));
  }
}

TEST_F(DeviceBand, InBFloat16IsNearTheExactOne) {
  const Case c = make_case({40, 25}, {12, 2}, 37);
  const at::Tensor ranges = climbing(c, 4);
  const std::vector<at::Tensor> joiner = random_joiner(c, 24);
  const LossAndGradients exact =
      differentiate(band_on_device(c, ranges, {}), joiner, at::ones({2}));
  for (const int64_t workspace : {int64_t{0}, kMuchWorkspace}) {
    const LossAndGradients found =
        differentiate(band_on_device(c, ranges, {.bf16 = true}, workspace), joiner, at::ones({2}));
    EXPECT_TRUE(at::allclose(found.loss, exact.loss, 1e-2)) << found.loss << exact.loss;
    for (size_t i = 0; i < 4; ++i)
      EXPECT_LT((found.gradients[i] - exact.gradients[i]).norm().item<double>(),
                1e-2 * exact.gradients[i].norm().item<double>())
          << i;
  }
}

TEST_F(DeviceBand, DoesNotDependOnTheOrderOfThreads) {
  const Case c = make_case({47, 5, 36}, {13, 33, 2}, 40);
  const at::Tensor ranges = climbing(c, 5);
  const std::vector<at::Tensor> joiner = random_joiner(c, 24);
  for (const Topology topology : kTopologies)
    for (const bool bf16 : {false, true}) {
      const TransducerLossOptions options{.fast_emit = 0.1, .topology = topology, .bf16 = bf16};
      const auto run = [&](Turns turns) {
        return differentiate(band_on_device(c, ranges, options, kMuchWorkspace, turns), joiner,
                             at::ones({3}));
      };
      const LossAndGradients up = run(Turns::ascending), down = run(Turns::descending);
      EXPECT_TRUE(at::equal(up.loss, down.loss));
      for (size_t i = 0; i < 4; ++i)
        EXPECT_TRUE(at::equal(up.gradients[i], down.gradients[i])) << i;
    }
}

TEST_F(DeviceBand, PaddingAndNodesPastTheLastStateHaveNoInfluence) {
  const Case c = make_case({6, 4}, {5, 1}, 7);
  at::Tensor ranges = climbing(c, 3);
  const std::vector<at::Tensor> clean = random_joiner(c, 8);
  std::vector<at::Tensor> dirty;
  for (const at::Tensor& x : clean) dirty.push_back(x.clone());
  for (int64_t b = 0; b < 2; ++b) {
    dirty[0][b].slice(0, c.frames[b].item<int64_t>()).fill_(NAN);
    dirty[1][b].slice(0, c.labels[b].item<int64_t>() + 1).fill_(NAN);
  }
  ranges[1].slice(0, 4).fill_(1234567);  // past the frames
  for (const int64_t workspace : {int64_t{0}, kMuchWorkspace}) {
    const auto route = band_on_device(c, ranges, {}, workspace);
    const LossAndGradients found = differentiate(route, dirty, at::ones({2}));
    const LossAndGradients expected = differentiate(route, clean, at::ones({2}));
    EXPECT_TRUE(at::equal(found.loss, expected.loss));
    for (size_t i = 0; i < 4; ++i)
      EXPECT_TRUE(at::equal(found.gradients[i], expected.gradients[i])) << i;
    EXPECT_EQ(found.gradients[1][1].slice(0, 2).abs().max().item<float>(), 0);
  }
}

TEST_F(DeviceBand, OfStatesThatDoNotAscendIsBroken) {
  const Case c = make_case({5, 6, 5, 4, 3}, {4, 3, 2, 4, 1}, 6);
  const std::vector<at::Tensor> joiner = random_joiner(c, 8);
  const at::Tensor good = climbing(c, 3);
  at::Tensor ranges = good.clone();
  ranges[1][5][1] += 1;
  ranges[2][0] -= 1;
  ranges[3][3] += int64_t{1} << 40;
  ranges[4].slice(0, 3).fill_(-5);  // past its frames
  const LossAndGradients found =
      differentiate(band_on_device(c, ranges, {}), joiner, at::ones({5}));
  const LossAndGradients expected = differentiate(band_on_device(c, good, {}), joiner,
                                                  at::tensor({1.0F, 0.0F, 0.0F, 0.0F, 1.0F}));
  for (const int64_t b : {1, 2, 3}) EXPECT_TRUE(std::isnan(found.loss[b].item<float>())) << b;
  for (const int64_t b : {0, 4})
    EXPECT_EQ(found.loss[b].item<float>(), expected.loss[b].item<float>()) << b;
  for (size_t i = 0; i < 4; ++i)
    EXPECT_LT(largest_difference(found.gradients[i], expected.gradients[i]), 1e-6) << i;
}

TEST_F(DeviceBand, HoldsAWorkspaceAndNoMore) {
  constexpr int64_t kMegabyte = 1 << 20;
  // The band's logits alone would take 20 MB, those of all states 800 MB.
  const Case c = make_case({199, 199}, {199, 199}, 2500);
  const at::Tensor ranges = climbing(c, 5);
  std::vector<at::Tensor> joiner = random_joiner(c, 8);
  for (at::Tensor& x : joiner) x.requires_grad_();
  const int64_t before = scion::testing::peak_memory(true);
  if (before == 0) GTEST_SKIP() << "the system does not report peak memory";
  band_on_device(c, ranges, {}, 0)(joiner).sum().backward();
  EXPECT_LT(scion::testing::peak_memory(false) - before, 11 * kMegabyte);
}

}  // namespace
}  // namespace scion
