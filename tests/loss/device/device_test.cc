// The device's route on the processor: the same bodies, tiles and order as on a GPU.
#include <gtest/gtest.h>

#include "scion/loss/cpu/given.h"
#include "scion/loss/ctc_loss.h"
#include "scion/loss/device/dispatch.h"
#include "scion/loss/device/tile_plan.h"
#include "scion/loss/distillation.h"
#include "scion/loss/transducer_loss.h"
#include "tests/core/peak_memory.h"
#include "tests/loss/device/host_device.h"
#include "tests/loss/lattice_cases.h"

namespace scion {
namespace {

using scion::testing::brute_force_transducer;
using scion::testing::Case;
using scion::testing::host_device;
using scion::testing::largest_difference;
using scion::testing::make_case;
using scion::testing::Turns;

constexpr int64_t kMuchWorkspace = int64_t{1} << 30;

// ---- its parts ----------------------------------------------------------------------------------

TEST(DeviceNumbers, AreThoseOfTheLibrary) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto b = BFloat16{uint16_t(bits)};
    const auto h = Float16{uint16_t(bits)};
    const at::BFloat16 bfloat16(uint16_t(bits), at::BFloat16::from_bits());
    const at::Half half(uint16_t(bits), at::Half::from_bits());
    if (std::isnan(float(bfloat16)))
      EXPECT_TRUE(std::isnan(to_float(b))) << bits;
    else
      EXPECT_EQ(to_float(b), float(bfloat16)) << bits;
    if (std::isnan(float(half)))
      EXPECT_TRUE(std::isnan(to_float(h))) << bits;
    else
      EXPECT_EQ(to_float(h), float(half)) << bits;
  }
}

TEST(DeviceNumbers, AreRoundedAsInTheLibrary) {
  const auto expect_same = [](float x) {
    EXPECT_EQ(nearest<BFloat16>(x).bits, at::BFloat16(x).x) << x;
    EXPECT_EQ(nearest<Float16>(x).bits, at::Half(x).x) << x;
  };
  // Every exponent, both signs, halves between neighbours and their neighbours.
  for (uint32_t exponent = 0; exponent < 256; ++exponent)
    for (const uint32_t mantissa :
         {0x0U, 0x1U, 0xFFFU, 0x1000U, 0x1001U, 0x2FFFU, 0x3000U, 0x3001U, 0x7FFFU, 0x8000U,
          0x8001U, 0x17FFFU, 0x18000U, 0x2AAAAAU, 0x400000U, 0x7FEFFFU, 0x7FF000U, 0x7FFFFFU}) {
      if (exponent == 255 && mantissa != 0) continue;
      expect_same(float_of_bits(exponent << 23 | mantissa));
      expect_same(float_of_bits(0x80000000U | exponent << 23 | mantissa));
    }
  EXPECT_TRUE(std::isnan(to_float(nearest<BFloat16>(NAN))));
  EXPECT_TRUE(std::isnan(to_float(nearest<Float16>(NAN))));
}

TEST(TilePlan, KeepsAllWhereAllFits) {
  const TilePlan plan = plan_tiles(1000, 100, 10, 110000, true);
  EXPECT_EQ(plan.tiles(), 1);
  EXPECT_EQ(plan.slots, 1);
  EXPECT_TRUE(plan.stays(0));
}

TEST(TilePlan, StaysWithinTheWorkspaceAndCoversEveryNodeOnce) {
  for (const int64_t nodes : {1, 255, 256, 257, 5000, 123456})
    for (const int64_t workspace : {1000, 200000, 1000000, 30000000})
      for (const bool keep : {false, true}) {
        const TilePlan plan = plan_tiles(nodes, 300, 50, workspace, keep);
        int64_t next = 0;
        for (int64_t tile = 0; tile < plan.tiles(); ++tile) {
          EXPECT_EQ(plan.first(tile), next);
          EXPECT_GT(plan.count(tile), 0);
          next += plan.count(tile);
        }
        EXPECT_EQ(next, nodes);
        EXPECT_LE(plan.slots, plan.tiles());
        EXPECT_EQ(plan.rows, plan_tiles(nodes, 300, 50, workspace, !keep).rows);
        if (plan.rows > 256) {
          EXPECT_LE(plan.rows * (plan.slots * 300 + 50), workspace);
        }
      }
}

TEST(TilePlan, ASlotHoldsTheTilesThatStay) {
  const TilePlan plan = plan_tiles(10000, 100, 20, 420000, true);
  EXPECT_EQ(plan.slots, 4);
  EXPECT_EQ(plan.tiles(), 10);
  std::vector<int64_t> last(4, -1);
  for (int64_t tile = 0; tile < plan.tiles(); ++tile) last[size_t(plan.slot(tile))] = tile;
  for (int64_t tile = 0; tile < plan.tiles(); ++tile)
    EXPECT_EQ(plan.stays(tile), last[size_t(plan.slot(tile))] == tile) << tile;
}

// ---- the losses ---------------------------------------------------------------------------------

class DeviceLoss : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(11); }
};

struct LossAndGradients {
  at::Tensor loss;
  std::vector<at::Tensor> gradients;
};

/// f(leaves) and its gradients with respect to them, weighted.
template <class F>
LossAndGradients differentiate(const F& f, const std::vector<at::Tensor>& inputs,
                               const at::Tensor& weights) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& x : inputs) leaves.push_back(x.detach().clone().requires_grad_());
  const at::Tensor loss = f(leaves);
  loss.backward(weights);
  LossAndGradients result{loss.detach(), {}};
  for (const at::Tensor& x : leaves) result.gradients.push_back(x.grad());
  return result;
}

LatticeRules rules_of(const TransducerLossOptions& options) {
  return {options.blank, options.fast_emit, options.delay_penalty, options.topology};
}

LatticeBatch batch_of(const Case& c, const TransducerLossOptions& options) {
  return check_lattice_batch(c.tokens.size(0), c.T, c.V, c.tokens, c.frames, c.labels,
                             rules_of(options));
}

at::Tensor on_device(const at::Tensor& logits, const Case& c,
                     const TransducerLossOptions& options = {}, Turns turns = Turns::ascending) {
  return device_transducer_loss(host_device(turns), logits, batch_of(c, options));
}

at::Tensor normal_logits(const Case& c, double scale = 2) {
  return at::randn({c.tokens.size(0), c.T, c.U + 1, c.V}) * scale;
}

/// Equal up to the rounding of sums in another order.
void expect_near(const LossAndGradients& found, const LossAndGradients& expected,
                 double tolerance) {
  EXPECT_TRUE(at::allclose(found.loss, expected.loss, tolerance, tolerance))
      << found.loss << expected.loss;
  for (size_t i = 0; i < found.gradients.size(); ++i) {
    const at::Tensor want = expected.gradients[i];
    EXPECT_LT(largest_difference(found.gradients[i], want),
              tolerance * (1 + want.to(at::kFloat).abs().max().item<double>()))
        << "tensor " << i;
  }
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
        return transducer_loss(x[0], c.tokens, c.frames, c.labels, options);
      };
      expect_near(differentiate(route, {logits}, weights),
                  differentiate(expected, {logits}, weights), 2e-6);
    }
}

TEST_F(DeviceLoss, OfLogProbabilitiesEqualsTheCpuRoute) {
  const Case c = make_case({9, 4, 1}, {2, 6, 0}, 28);
  at::Tensor log_probs = normal_logits(c).log_softmax(-1);
  // A class that is neither blank nor the next label may be anything.
  log_probs[0][0][0][c.tokens[0][0].item<int64_t>() == 5 ? 6 : 5] = NAN;
  const at::Tensor weights = at::randn({3});
  for (const TransducerLossOptions& options :
       {TransducerLossOptions{},
        TransducerLossOptions{.fast_emit = 0.3, .topology = Topology::constrained}}) {
    const auto route = [&](const std::vector<at::Tensor>& x) {
      return device_log_probs_loss(host_device(), x[0], batch_of(c, options));
    };
    const auto expected = [&](const std::vector<at::Tensor>& x) {
      return transducer_loss_from_log_probs(x[0], c.tokens, c.frames, c.labels, options);
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
      [&](const std::vector<at::Tensor>& x) {
        return transducer_loss(x[0], c.tokens, c.frames, c.labels);
      },
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
  logits[2].select(2, 0).fill_(-INFINITY);  // no blank at all: no way remains
  logits[3][1][1][0] = -INFINITY;           // one blank is forbidden: other ways remain
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

// ---- fused with the joiner ----------------------------------------------------------------------

using DeviceJoinerLoss = DeviceLoss;

std::vector<at::Tensor> random_joiner(const Case& c, int64_t D) {
  const int64_t B = c.tokens.size(0);
  return {at::randn({B, c.T, D}), at::randn({B, c.U + 1, D}), at::randn({c.V, D}) * 0.3,
          at::randn({c.V})};
}

auto joiner_on_device(const Case& c, const TransducerLossOptions& options, int64_t workspace,
                      Turns turns = Turns::ascending) {
  return [=](const std::vector<at::Tensor>& x) {
    return device_joiner_loss(host_device(turns), x[0], x[1], x[2], x[3], batch_of(c, options),
                              options.bf16, workspace);
  };
}

auto joiner_on_cpu(const Case& c, const TransducerLossOptions& options) {
  return [=](const std::vector<at::Tensor>& x) {
    return joiner_transducer_loss(x[0], x[1], x[2], x[3], c.tokens, c.frames, c.labels, options);
  };
}

TEST_F(DeviceJoinerLoss, EqualsTheCpuRoute) {
  for (const auto& [frames, labels, V, D] :
       std::vector<std::tuple<std::vector<int64_t>, std::vector<int64_t>, int64_t, int64_t>>{
           {{1}, {0}, 2, 1},
           {{9, 3, 1}, {4, 0, 5}, 28, 40},
           {{3, 12, 1, 5}, {0, 10, 3, 1}, 61, 37},
           {{4}, {17}, 130, 8}})
    for (const TransducerLossOptions& options :
         {TransducerLossOptions{}, TransducerLossOptions{.fast_emit = 0.3, .delay_penalty = 0.1},
          TransducerLossOptions{.topology = Topology::constrained}}) {
      const Case c = make_case(frames, labels, V);
      const std::vector<at::Tensor> joiner = random_joiner(c, D);
      const at::Tensor weights = at::randn({c.tokens.size(0)});
      expect_near(differentiate(joiner_on_device(c, options, kMuchWorkspace), joiner, weights),
                  differentiate(joiner_on_cpu(c, options), joiner, weights), 3e-6);
    }
}

// Tiles that are kept, made again, and the one that is still there; utterances over tiles' edges.
TEST_F(DeviceJoinerLoss, IsTheSameInAnyWorkspace) {
  const Case c = make_case({30, 17, 1, 23}, {12, 9, 0, 20}, 9);
  const std::vector<at::Tensor> joiner = random_joiner(c, 8);
  const at::Tensor weights = at::randn({4});
  const LossAndGradients expected = differentiate(joiner_on_cpu(c, {}), joiner, weights);
  // Of 1044 nodes with 96 bytes in a slot and 32 while they are worked on.
  for (const int64_t workspace : {0, 60000, 110000, 133632}) {
    const auto route = joiner_on_device(c, {}, workspace);
    expect_near(differentiate(route, joiner, weights), expected, 3e-6);
    EXPECT_TRUE(at::equal(route(joiner), differentiate(route, joiner, weights).loss));
  }
}

// Hidden vectors, weights and the logits' gradients are rounded before they are multiplied.
TEST_F(DeviceJoinerLoss, InBFloat16IsThatOfRoundedFactors) {
  const auto rounded = [](const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kFloat); };
  for (const auto& [V, D] : {std::pair<int64_t, int64_t>{2, 1}, {61, 37}}) {
    const Case c = make_case({8, 7, 5}, {6, 3, 0}, V);
    const std::vector<at::Tensor> joiner = random_joiner(c, D);
    const at::Tensor exact_hidden = at::tanh(joiner[0].unsqueeze(2) + joiner[1].unsqueeze(1));
    const at::Tensor hidden = rounded(exact_hidden), weight = rounded(joiner[2]);
    const LossAndGradients from_logits = differentiate(
        [&](const std::vector<at::Tensor>& x) {
          return transducer_loss(x[0], c.tokens, c.frames, c.labels);
        },
        {at::linear(hidden, weight, joiner[3])}, at::ones({3}));
    const at::Tensor gradient = rounded(from_logits.gradients[0]);
    const at::Tensor input_gradient =
        at::matmul(gradient, weight) * (1 - exact_hidden * exact_hidden);
    const LossAndGradients expected{
        from_logits.loss,
        {input_gradient.sum(2), input_gradient.sum(1),
         at::mm(gradient.view({-1, V}).t(), hidden.view({-1, D})), gradient.view({-1, V}).sum(0)}};
    for (const int64_t workspace : {int64_t{0}, kMuchWorkspace})
      expect_near(
          differentiate(joiner_on_device(c, {.bf16 = true}, workspace), joiner, at::ones({3})),
          expected, 1e-4);
  }
}

TEST_F(DeviceJoinerLoss, NonFiniteInputsTouchTheirUtteranceOnly) {
  const Case c = make_case({4, 3, 5}, {2, 1, 2}, 6);
  const std::vector<at::Tensor> clean = random_joiner(c, 8);
  std::vector<at::Tensor> dirty;
  for (const at::Tensor& x : clean) dirty.push_back(x.clone());
  dirty[0][1][2][3] = NAN;  // in an utterance
  for (int64_t b = 0; b < 3; ++b) dirty[1][b].slice(0, c.labels[b].item<int64_t>() + 1).fill_(NAN);
  const auto route = joiner_on_device(c, {}, 0);
  const LossAndGradients found = differentiate(route, dirty, at::ones({3}));
  const LossAndGradients expected = differentiate(route, clean, at::tensor({1.0F, 0.0F, 1.0F}));
  EXPECT_FALSE(std::isfinite(found.loss[1].item<float>()));
  EXPECT_EQ(found.loss[0].item<float>(), expected.loss[0].item<float>());
  EXPECT_EQ(found.loss[2].item<float>(), expected.loss[2].item<float>());
  for (size_t i = 0; i < 4; ++i)
    EXPECT_LT(largest_difference(found.gradients[i], expected.gradients[i]), 1e-6) << i;
}

TEST_F(DeviceJoinerLoss, CanGoBackwardTwice) {
  const Case c = make_case({6, 4}, {3, 2}, 7);
  std::vector<at::Tensor> joiner = random_joiner(c, 8);
  for (at::Tensor& x : joiner) x.requires_grad_();
  const at::Tensor loss = joiner_on_device(c, {}, kMuchWorkspace)(joiner).sum();
  loss.backward({}, /*retain_graph=*/true);
  const at::Tensor once = joiner[2].grad().clone();
  loss.backward();
  EXPECT_TRUE(at::equal(joiner[2].grad(), 2 * once));
}

TEST_F(DeviceJoinerLoss, GivesGradientsInTheInputsTypes) {
  const Case c = make_case({4, 2}, {2, 1}, 5);
  std::vector<at::Tensor> joiner = random_joiner(c, 8);
  joiner[0] = joiner[0].to(at::kBFloat16);
  joiner[3] = joiner[3].to(at::kBFloat16);
  const LossAndGradients found =
      differentiate(joiner_on_device(c, {}, kMuchWorkspace), joiner, at::ones({2}));
  const LossAndGradients expected = differentiate(joiner_on_cpu(c, {}), joiner, at::ones({2}));
  for (size_t i = 0; i < 4; ++i)
    EXPECT_EQ(found.gradients[i].scalar_type(), joiner[i].scalar_type()) << i;
  EXPECT_LT(largest_difference(found.loss, expected.loss), 1e-5);
  EXPECT_LT(largest_difference(found.gradients[2], expected.gradients[2]), 1e-5);
}

// A kernel in which threads read what others have not written yet, or have overwritten, shows here.
TEST_F(DeviceJoinerLoss, DoesNotDependOnTheOrderOfThreads) {
  const Case c = make_case({7, 5}, {3, 33}, 40);
  const std::vector<at::Tensor> joiner = random_joiner(c, 24);
  for (const bool bf16 : {false, true}) {
    const auto run = [&](Turns turns) {
      return differentiate(joiner_on_device(c, {.bf16 = bf16}, kMuchWorkspace, turns), joiner,
                           at::ones({2}));
    };
    const LossAndGradients up = run(Turns::ascending), down = run(Turns::descending);
    EXPECT_TRUE(at::equal(up.loss, down.loss));
    for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(at::equal(up.gradients[i], down.gradients[i])) << i;
  }
}

TEST_F(DeviceJoinerLoss, EmptyBatchGivesNoLosses) {
  const at::Tensor none = at::zeros({0}, at::kLong);
  const LatticeBatch batch =
      check_lattice_batch(0, 3, 4, at::zeros({0, 1}, at::kLong), none, none, {});
  const std::vector<at::Tensor> joiner = {at::zeros({0, 3, 8}), at::zeros({0, 2, 8}),
                                          at::randn({4, 8}), at::randn({4})};
  const LossAndGradients found = differentiate(
      [&](const std::vector<at::Tensor>& x) {
        return device_joiner_loss(host_device(), x[0], x[1], x[2], x[3], batch, false,
                                  kMuchWorkspace);
      },
      joiner, none.to(at::kFloat));
  EXPECT_EQ(found.loss.numel(), 0);
  EXPECT_EQ(found.gradients[2].abs().max().item<float>(), 0);
}

// ---- over a band --------------------------------------------------------------------------------

constexpr Topology kTopologies[] = {Topology::regular, Topology::modified, Topology::constrained};

class DeviceBand : public DeviceLoss {
 protected:
  /// `width` states a frame that climb from the first to the last, (B, T, W).
  static at::Tensor climbing(const Case& c, int64_t width) {
    const at::Tensor last = (c.labels + 1 - width).clamp_min(0).unsqueeze(1);
    const at::Tensor frame = at::arange(c.T).unsqueeze(0), frames = c.frames.unsqueeze(1);
    const at::Tensor first = (last * frame).div((frames - 1).clamp_min(1), "floor");
    return states_from(at::minimum(first, last), width);
  }
  /// Anywhere, whether an alignment can follow or not.
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
    return device_pruned_joiner_loss(host_device(turns), x[0], x[1], x[2], x[3], ranges,
                                     batch_of(c, options), options.bf16, workspace);
  };
}

auto band_on_cpu(const Case& c, const at::Tensor& ranges, const TransducerLossOptions& options) {
  return [=](const std::vector<at::Tensor>& x) {
    return pruned_joiner_loss(x[0], x[1], x[2], x[3], ranges, {c.tokens, c.frames, c.labels},
                              options);
  };
}

/// In float64 from all logits: arcs outside of the band are forbidden. FastEmit is what a share of
/// the loss gives through the labels' arcs alone.
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
      return lattice_loss({blank, labels}, {c.tokens, c.frames, c.labels}, options.topology);
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
    // The third one's two frames see the states 0, 1 and 2, 3: no way leads from one to the other.
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

// Bands that fall, jump, and miss the beginning, the end or both: many have no alignment.
TEST_F(DeviceBand, MayLieAnywhere) {
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
  // Of 1040 nodes with 96 bytes in a slot and 32 while they are worked on.
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

TEST_F(DeviceBand, PaddingAndNodesBehindTheLastStateHaveNoInfluence) {
  const Case c = make_case({6, 4}, {5, 1}, 7);
  at::Tensor ranges = climbing(c, 3);
  const std::vector<at::Tensor> clean = random_joiner(c, 8);
  std::vector<at::Tensor> dirty;
  for (const at::Tensor& x : clean) dirty.push_back(x.clone());
  for (int64_t b = 0; b < 2; ++b) {
    dirty[0][b].slice(0, c.frames[b].item<int64_t>()).fill_(NAN);
    dirty[1][b].slice(0, c.labels[b].item<int64_t>() + 1).fill_(NAN);
  }
  ranges[1].slice(0, 4).fill_(1234567);  // behind the frames
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
  ranges[4].slice(0, 3).fill_(-5);  // behind its frames
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
  if (before == 0) GTEST_SKIP() << "the system does not tell the peak memory";
  band_on_device(c, ranges, {}, 0)(joiner).sum().backward();
  EXPECT_LT(scion::testing::peak_memory(false) - before, 11 * kMegabyte);
}

// ---- beside a teacher ---------------------------------------------------------------------------

NodeTargets random_targets(const Case& c) {
  const int64_t B = c.tokens.size(0);
  at::Tensor probabilities = at::randn({3, B, c.T, c.U + 1}).softmax(0);
  for (int64_t b = 0; b < B; ++b)  // no label behind the last state
    probabilities[1][b].slice(1, c.labels[b].item<int64_t>()).fill_(0);
  return {probabilities, at::rand({B, c.T, c.U + 1})};
}

auto distilled_on_device(const Case& c, const NodeTargets& targets, int64_t workspace,
                         const TransducerLossOptions& options = {}) {
  return [=](const std::vector<at::Tensor>& x) {
    const DistilledLoss loss =
        device_distilled_loss(host_device(), x[0], x[1], x[2], x[3], batch_of(c, options), targets,
                              options.bf16, workspace);
    return at::cat({loss.transducer, loss.divergence});
  };
}

auto distilled_on_cpu(const Case& c, const NodeTargets& targets,
                      const TransducerLossOptions& options = {}) {
  return [=](const std::vector<at::Tensor>& x) {
    const DistilledLoss loss = distilled_joiner_loss(x[0], x[1], x[2], x[3], c.tokens, c.frames,
                                                     c.labels, targets, options);
    return at::cat({loss.transducer, loss.divergence});
  };
}

TEST_F(DeviceJoinerLoss, BesideATeacherEqualsTheCpuRoute) {
  const Case c = make_case({12, 1, 9}, {3, 2, 30}, 11);
  const std::vector<at::Tensor> joiner = random_joiner(c, 8);
  const NodeTargets targets = random_targets(c);
  const at::Tensor weights = at::randn({6});
  const TransducerLossOptions options{.fast_emit = 0.1, .delay_penalty = 0.2};
  const LossAndGradients expected =
      differentiate(distilled_on_cpu(c, targets, options), joiner, weights);
  for (const int64_t workspace : {int64_t{0}, kMuchWorkspace})
    expect_near(differentiate(distilled_on_device(c, targets, workspace, options), joiner, weights),
                expected, 1e-5);
}

TEST_F(DeviceJoinerLoss, BrokenNumbersBesideATeacherTouchTheirUtteranceOnly) {
  const Case c = make_case({4, 3, 5}, {2, 1, 2}, 6);
  const std::vector<at::Tensor> clean = random_joiner(c, 8);
  std::vector<at::Tensor> dirty = clean;
  dirty[0] = clean[0].clone();
  dirty[0][1][2][3] = NAN;
  const NodeTargets targets = random_targets(c);
  const at::Tensor others = at::tensor({1.0F, 0.0F, 1.0F, 1.0F, 0.0F, 1.0F});
  const auto check = [&](const auto& route) {
    const LossAndGradients found = differentiate(route, dirty, at::ones({6}));
    const LossAndGradients expected = differentiate(route, clean, others);
    for (const int64_t i : {1, 4}) EXPECT_TRUE(std::isnan(found.loss[i].item<float>())) << i;
    for (const int64_t i : {0, 2, 3, 5}) EXPECT_TRUE(at::equal(found.loss[i], expected.loss[i]));
    for (size_t i = 0; i < 4; ++i)
      EXPECT_LT(largest_difference(found.gradients[i], expected.gradients[i]), 1e-6) << i;
    EXPECT_EQ(found.gradients[0][1].abs().max().item<float>(), 0);
  };
  for (const int64_t workspace : {int64_t{0}, kMuchWorkspace})
    for (const bool bf16 : {false, true}) {
      check(distilled_on_device(c, targets, workspace, {.bf16 = bf16}));
      check(distilled_on_cpu(c, targets, {.bf16 = bf16, .workspace_bytes = workspace}));
    }
}

// Beside blank and label there is no other class, whose probability is zero.
TEST_F(DeviceJoinerLoss, BesideATeacherOfTwoClassesEqualsTheCpuRoute) {
  const Case c = make_case({4, 3}, {2, 0}, 2);
  const std::vector<at::Tensor> joiner = random_joiner(c, 3), teacher = random_joiner(c, 5);
  const NodeTargets targets =
      node_targets({teacher[0], teacher[1], teacher[2], teacher[3], c.tokens, c.frames, c.labels},
                   NodeWeighting::all);
  expect_near(differentiate(distilled_on_device(c, targets, kMuchWorkspace), joiner, at::ones({4})),
              differentiate(distilled_on_cpu(c, targets), joiner, at::ones({4})), 3e-6);
}

TEST_F(DeviceJoinerLoss, ArcsOfATeacherAreTheCpus) {
  const Case c = make_case({5, 1, 4}, {3, 0, 6}, 9);
  const std::vector<at::Tensor> x = random_joiner(c, 8);
  const SolvedLattices solved = solve_lattices_of(
      {x[0], x[1], x[2], x[3], c.tokens, c.frames, c.labels}, {}, /*flows=*/false);
  const auto [blank, label] = solved.terms.arcs(solved.batch);
  const auto [found_blank, found_label] =
      device_joiner_arcs(host_device(), x[0], x[1], x[2], x[3], batch_of(c, {}), false, 0);
  EXPECT_LT(largest_difference(found_blank, blank), 1e-5);
  EXPECT_LT(largest_difference(found_label, label), 1e-5);
}

// ---- lattices of given arcs ---------------------------------------------------------------------

class DeviceLattices : public DeviceLoss {
 protected:
  static LatticeArcs random_arcs(const Case& c, at::ScalarType type) {
    return {at::randn({c.tokens.size(0), c.T, c.U + 1}, type),
            at::randn({c.tokens.size(0), c.T, c.U}, type)};
  }
};

TEST_F(DeviceLattices, EqualTheCpuRouteInEveryTopology) {
  const Case c = make_case({4, 1, 3, 9, 2}, {3, 2, 0, 40, 2}, 5);
  for (const at::ScalarType type : {at::kDouble, at::kFloat})
    for (const Topology topology : {Topology::regular, Topology::modified, Topology::constrained}) {
      LatticeArcs arcs = random_arcs(c, type);
      arcs.blank[0][1][1] = -INFINITY;
      arcs.label[4][0][0] = NAN;
      // But for `regular`, there is no alignment at all.
      if (topology != Topology::regular) arcs.blank[3][8][0] = NAN;
      const LatticeLabels labels{c.tokens, c.frames, c.labels};
      const double tolerance = type == at::kDouble ? 1e-12 : 3e-6;
      const at::Tensor expected = lattice_loss(arcs, labels, topology);
      const LatticeArcs flows = lattice_flows(arcs, labels, topology);
      const ArcsSolution found =
          device_solve_arcs(host_device(), arcs, batch_of(c, {}), topology, true);
      EXPECT_TRUE(at::allclose(found.losses, expected, tolerance, tolerance, /*equal_nan=*/true))
          << found.losses << expected;
      EXPECT_LT(largest_difference(found.flows.blank, flows.blank), tolerance);
      EXPECT_LT(largest_difference(found.flows.label, flows.label), tolerance);
      EXPECT_EQ(found.flows.blank[4].abs().max().item<double>(), 0);
      EXPECT_TRUE(at::equal(
          device_solve_arcs(host_device(), arcs, batch_of(c, {}), topology, false).losses[0],
          found.losses[0]));
    }
}

TEST_F(DeviceLattices, LongUtterancesStayPrecise) {
  const Case c = make_case({3000}, {20}, 5);
  const LatticeArcs arcs = random_arcs(c, at::kFloat);
  const LatticeArcs wide{arcs.blank.to(at::kDouble), arcs.label.to(at::kDouble)};
  const auto solve = [&](const LatticeArcs& x) {
    return device_solve_arcs(host_device(), x, batch_of(c, {}), Topology::regular, true);
  };
  const ArcsSolution found = solve(arcs), expected = solve(wide);
  EXPECT_LT(largest_difference(found.losses / expected.losses, at::ones({1})), 1e-6);
  EXPECT_LT(largest_difference(found.flows.blank.sum(), expected.flows.blank.sum()), 1e-2);
  EXPECT_LT(largest_difference(found.flows.label, expected.flows.label), 1e-5);
}

/// Its own lattices kernel: with lines in ordinary memory instead of a block's.
LossDevice without_shared_memory() {
  LossDevice device = host_device();
  device.kernels.lattices = [](const LatticeArguments& given, void* stream) {
    LatticeArguments arguments = given;
    std::vector<double> lines(size_t(given.launch().blocks * 2 * given.lattices.max_states));
    arguments.lines = lines.data();
    host_device().kernels.lattices(arguments, stream);
  };
  return device;
}

TEST_F(DeviceLattices, NeedNoSharedMemory) {
  const Case c = make_case({4, 7}, {3, 9}, 5);
  const LatticeArcs arcs = random_arcs(c, at::kFloat);
  const auto solve = [&](const LossDevice& device) {
    return device_solve_arcs(device, arcs, batch_of(c, {}), Topology::regular, true);
  };
  const LossDevice device = without_shared_memory();
  const ArcsSolution found = solve(device), expected = solve(host_device());
  EXPECT_TRUE(at::equal(found.losses, expected.losses));
  EXPECT_TRUE(at::equal(found.flows.label, expected.flows.label));
}

// ---- CTC ----------------------------------------------------------------------------------------

using DeviceCtcLoss = DeviceLoss;

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
      return scion::ctc_loss(x[0], c.tokens, c.frames, c.labels, blank);
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
