// The losses on a GPU, compared with the CPU's routes.
#include <gtest/gtest.h>

#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/loss/ctc_loss.h"
#include "scion/loss/distillation.h"
#include "scion/loss/lattice_loss.h"
#include "scion/loss/pruned_loss.h"
#include "scion/loss/transducer_loss.h"
#include "tests/core/cuda.h"
#include "tests/loss/lattice_cases.h"

namespace scion {
namespace {

using scion::testing::Case;
using scion::testing::has_gpu;
using scion::testing::joiner_of;
using scion::testing::kTopologies;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::make_case;
using scion::testing::NoWaitingForTheGpu;
using scion::testing::take_ranges;

class CudaLoss : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_gpu()) GTEST_SKIP() << "no GPU";
    at::manual_seed(11);
  }
};

struct Outcome {
  at::Tensor loss;
  std::vector<at::Tensor> gradients;  // all on the CPU
};

using LossFunction = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

/// Loss and gradients of Σ weights · loss on a device. Copies may synchronise, the loss must not.
Outcome run_on(at::Device device, const LossFunction& f, const std::vector<at::Tensor>& inputs,
               const at::Tensor& weights) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& x : inputs)
    leaves.push_back(x.detach().to(device, x.scalar_type(), false, true).requires_grad_());
  const at::Tensor upstream = weights.to(device);
  at::Tensor loss;
  {
    const NoWaitingForTheGpu no_waiting;
    loss = f(leaves);
    loss.backward(upstream);
  }
  EXPECT_EQ(loss.device().type(), device.type());
  Outcome result{loss.detach().cpu(), {}};
  for (const at::Tensor& x : leaves) result.gradients.push_back(x.grad().cpu());
  return result;
}

void expect_equal_outcomes(const Outcome& found, const Outcome& expected, double tolerance) {
  EXPECT_TRUE(at::allclose(found.loss, expected.loss, tolerance, tolerance))
      << found.loss << expected.loss;
  for (size_t i = 0; i < expected.gradients.size(); ++i) {
    const at::Tensor want = expected.gradients[i];
    EXPECT_LT(largest_difference(found.gradients[i], want),
              tolerance * (1 + want.to(at::kFloat).abs().max().item<double>()))
        << "tensor " << i;
  }
}

LossFunction logits_loss(const Case& c, const TransducerLossOptions& options = {}) {
  return [=](const std::vector<at::Tensor>& x) {
    return transducer_loss(x[0], labels_of(c), options);
  };
}

LossFunction joiner_loss(const Case& c, const TransducerLossOptions& options = {}) {
  return [=](const std::vector<at::Tensor>& x) {
    return joiner_transducer_loss(joiner_of(x), labels_of(c), options);
  };
}

std::vector<at::Tensor> joiner_inputs(const Case& c, int64_t D) {
  const int64_t B = c.tokens.size(0);
  return {at::randn({B, c.T, D}), at::randn({B, c.U + 1, D}), at::randn({c.V, D}) * 0.3,
          at::randn({c.V})};
}

at::Tensor logits_input(const Case& c) {
  return at::randn({c.tokens.size(0), c.T, c.U + 1, c.V}) * 2;
}

TEST_F(CudaLoss, OfLogitsEqualsTheCpus) {
  for (const auto& [frames, labels, V] :
       std::vector<std::tuple<std::vector<int64_t>, std::vector<int64_t>, int64_t>>{
           {{1}, {0}, 2},
           {{1, 7}, {5, 0}, 3},
           {{90, 40, 1}, {20, 6, 0}, 28},
           {{50, 110}, {40, 3}, 131},
           {{150, 120}, {35, 40}, 500}})
    for (const TransducerLossOptions& options :
         {TransducerLossOptions{}, TransducerLossOptions{.fast_emit = 0.3, .delay_penalty = 0.1},
          TransducerLossOptions{.topology = Topology::constrained}}) {
      const Case c = make_case(frames, labels, V);
      const std::vector<at::Tensor> inputs = {logits_input(c)};
      const at::Tensor weights = at::randn({c.tokens.size(0)});
      expect_equal_outcomes(run_on(at::kCUDA, logits_loss(c, options), inputs, weights),
                            run_on(at::kCPU, logits_loss(c, options), inputs, weights), 1e-5);
    }
}

TEST_F(CudaLoss, OfBFloat16LogitsEqualsTheCpus) {
  const Case c = make_case({60, 40}, {13, 12}, 190);
  const std::vector<at::Tensor> inputs = {logits_input(c).to(at::kBFloat16)};
  const Outcome found = run_on(at::kCUDA, logits_loss(c), inputs, at::ones({2}));
  EXPECT_EQ(found.gradients[0].scalar_type(), at::kBFloat16);
  expect_equal_outcomes(found, run_on(at::kCPU, logits_loss(c), inputs, at::ones({2})), 4e-3);
}

TEST_F(CudaLoss, WithTheJoinerEqualsTheCpus) {
  for (const auto& [frames, labels, V, D] :
       std::vector<std::tuple<std::vector<int64_t>, std::vector<int64_t>, int64_t, int64_t>>{
           {{1}, {0}, 2, 1},
           {{90, 30, 1}, {40, 0, 5}, 28, 64},
           {{30, 120, 1, 5}, {0, 100, 3, 1}, 61, 37},
           {{25}, {1500}, 130, 48}})
    for (const int64_t workspace : {int64_t{0}, int64_t{1} << 20, int64_t{1} << 30}) {
      const TransducerLossOptions options{.fast_emit = 0.1, .workspace_bytes = workspace};
      const Case c = make_case(frames, labels, V);
      const std::vector<at::Tensor> inputs = joiner_inputs(c, D);
      const at::Tensor weights = at::randn({c.tokens.size(0)});
      expect_equal_outcomes(run_on(at::kCUDA, joiner_loss(c, options), inputs, weights),
                            run_on(at::kCPU, joiner_loss(c, options), inputs, weights), 2e-5);
    }
}

TEST_F(CudaLoss, InBFloat16IsNearTheExactOne) {
  const Case c = make_case({150, 120, 90}, {40, 35, 20}, 500);
  const std::vector<at::Tensor> inputs = joiner_inputs(c, 512);
  const Outcome exact = run_on(at::kCPU, joiner_loss(c), inputs, at::ones({3}));
  const Outcome found = run_on(at::kCUDA, joiner_loss(c, {.bf16 = true}), inputs, at::ones({3}));
  EXPECT_TRUE(at::allclose(found.loss, exact.loss, 1e-3)) << found.loss << exact.loss;
  for (size_t i = 0; i < 4; ++i) {
    const at::Tensor error =
        (found.gradients[i] - exact.gradients[i]).norm() / exact.gradients[i].norm();
    EXPECT_LT(error.item<double>(), 1e-2) << "tensor " << i;
  }
}

/// of(case, options) twice, with products in either precision.
template <class LossOf>
void expect_the_same_bytes_again(const LossOf& of, int64_t workspace_bytes) {
  const Case c = make_case({150, 120, 90}, {40, 35, 20}, 500);
  const std::vector<at::Tensor> inputs = joiner_inputs(c, 256);
  for (const bool bf16 : {false, true}) {
    const LossFunction f = of(c, {.bf16 = bf16, .workspace_bytes = workspace_bytes});
    const Outcome once = run_on(at::kCUDA, f, inputs, at::ones({3})),
                  again = run_on(at::kCUDA, f, inputs, at::ones({3}));
    EXPECT_TRUE(at::equal(once.loss, again.loss));
    for (size_t i = 0; i < 4; ++i)
      EXPECT_TRUE(at::equal(once.gradients[i], again.gradients[i])) << i;
  }
}

TEST_F(CudaLoss, GivesTheSameBytesAgain) {
  expect_the_same_bytes_again(joiner_loss, int64_t{8} << 20);
}

TEST_F(CudaLoss, NonFiniteAndImpossibleTouchTheirUtteranceOnly) {
  const Case c = make_case({4, 4, 4, 4}, {2, 2, 2, 2}, 5);
  at::Tensor logits = logits_input(c);
  logits[0][1][1][3] = NAN;
  logits[1][0][0][2] = INFINITY;
  logits[2].select(2, 0).fill_(-INFINITY);
  logits[3][1][1][0] = -INFINITY;
  const Outcome found = run_on(at::kCUDA, logits_loss(c), {logits}, at::ones({4}));
  const Outcome expected = run_on(at::kCPU, logits_loss(c), {logits}, at::ones({4}));
  EXPECT_FALSE(std::isfinite(found.loss[0].item<float>()));
  EXPECT_FALSE(std::isfinite(found.loss[1].item<float>()));
  EXPECT_EQ(found.loss[2].item<float>(), INFINITY);
  EXPECT_LT(largest_difference(found.gradients[0], expected.gradients[0]), 1e-6);
}

TEST_F(CudaLoss, LongUtterancesStayPrecise) {
  const Case c = make_case({5000}, {300}, 4);
  const std::vector<at::Tensor> inputs = {logits_input(c) * 1.5};
  expect_equal_outcomes(run_on(at::kCUDA, logits_loss(c), inputs, at::ones({1})),
                        run_on(at::kCPU, logits_loss(c), inputs, at::ones({1})), 1e-4);
}

// Offsets into logits and gradient go beyond 2^31.
TEST_F(CudaLoss, TakesMoreThanTwoToThe31Logits) {
  const Case c = make_case({2047, 2047}, {510, 510}, 1056);
  const at::Tensor logits =
      at::zeros({2, c.T, c.U + 1, c.V}, at::TensorOptions(at::kCUDA).dtype(at::kBFloat16))
          .requires_grad_();
  ASSERT_GT(logits.numel(), int64_t{1} << 31);
  const at::Tensor loss = transducer_loss(logits, labels_of(c));
  loss.sum().backward();
  // All logits are equal: log of the number of alignments, and every arc's log-probability.
  const double ways = std::lgamma(2047 + 510) - std::lgamma(511) - std::lgamma(2047);
  const double expected = (2047 + 510) * std::log(1056.0) - ways;
  for (int64_t b = 0; b < 2; ++b)
    EXPECT_NEAR(loss[b].item<double>(), expected, 1e-5 * expected) << b;
  const at::Tensor last = logits.grad()[1].narrow(0, 2046, 1).narrow(1, 510, 1);
  EXPECT_NEAR(last.select(2, 0).item<double>(), 1 / 1056.0 - 1, 1e-2);
  EXPECT_EQ(logits.grad()[1].select(0, 2047).abs().max().item<float>(), 0);
}

TEST_F(CudaLoss, OfArcsEqualsTheCpusInEveryTopology) {
  const Case c = make_case({40, 1, 30, 90, 20}, {30, 2, 0, 40, 20}, 5);
  const LatticeLabels labels = labels_of(c);
  const std::vector<at::Tensor> inputs = {at::randn({5, c.T, c.U + 1}, at::kDouble),
                                          at::randn({5, c.T, c.U}, at::kDouble)};
  const at::Tensor weights = at::randn({5}, at::kDouble);
  for (const Topology topology : kTopologies) {
    const LossFunction f = [&](const std::vector<at::Tensor>& x) {
      const at::Tensor loss = lattice_loss({x[0], x[1]}, labels, topology);
      return at::where(loss.isinf(), at::zeros_like(loss), loss);
    };
    expect_equal_outcomes(run_on(at::kCUDA, f, inputs, weights),
                          run_on(at::kCPU, f, inputs, weights), 1e-10);
  }
}

TEST_F(CudaLoss, PrunedEqualsTheCpus) {
  const Case c = make_case({30, 25, 12}, {12, 5, 9}, 7);
  const LatticeLabels labels = labels_of(c);
  const std::vector<at::Tensor> inputs = {at::randn({3, c.T, 7}), at::randn({3, c.U + 1, 7})};
  const LossFunction f = [&](const std::vector<at::Tensor>& x) {
    const SimpleLossOptions options{.delay_penalty = 0.1, .lm_only_scale = 0.25};
    const SimpleLoss simple = simple_transducer_loss(x[0], x[1], labels, options);
    const at::Tensor ranges = pruning_ranges(simple.arcs, labels, options.topology, 4);
    const auto [frames, states] = take_ranges(x[0], x[1], ranges);
    return simple.losses +
           pruned_transducer_loss(at::tanh(frames + states), ranges, labels, options);
  };
  expect_equal_outcomes(run_on(at::kCUDA, f, inputs, at::ones({3})),
                        run_on(at::kCPU, f, inputs, at::ones({3})), 1e-4);
}

/// Five states per frame, climbing from the first to the last, on the device.
at::Tensor climbing_band(const Case& c, at::Device device) {
  const at::Tensor last = (c.labels - 4).clamp_min(0).unsqueeze(1);
  const at::Tensor frames = (c.frames - 1).clamp_min(1).unsqueeze(1);
  const at::Tensor first = at::minimum((last * at::arange(c.T)).div(frames, "floor"), last);
  return upload(first.unsqueeze(2) + at::arange(5), device);
}

LossFunction band_loss(const Case& c, const TransducerLossOptions& options) {
  return [=](const std::vector<at::Tensor>& x) {
    return pruned_joiner_loss(joiner_of(x), climbing_band(c, x[0].device()), labels_of(c), options);
  };
}

TEST_F(CudaLoss, OverABandEqualsTheCpus) {
  for (const auto& [frames, labels, V, D] :
       std::vector<std::tuple<std::vector<int64_t>, std::vector<int64_t>, int64_t, int64_t>>{
           {{1}, {3}, 2, 1},
           {{90, 30, 1, 0}, {40, 0, 2, 5}, 28, 64},
           {{300, 120, 1, 5}, {17, 100, 3, 1}, 61, 37},
           {{600, 700}, {150, 20}, 500, 256}})
    for (const Topology topology : kTopologies)
      for (const int64_t workspace : {int64_t{0}, int64_t{1} << 30}) {
        const TransducerLossOptions options{.fast_emit = 0.1,
                                            .delay_penalty = 0.05,
                                            .topology = topology,
                                            .workspace_bytes = workspace};
        const Case c = make_case(frames, labels, V);
        const std::vector<at::Tensor> inputs = joiner_inputs(c, D);
        const at::Tensor weights = at::randn({c.tokens.size(0)});
        expect_equal_outcomes(run_on(at::kCUDA, band_loss(c, options), inputs, weights),
                              run_on(at::kCPU, band_loss(c, options), inputs, weights), 2e-5);
      }
}

TEST_F(CudaLoss, OverABandOfShortNumbersIsNearTheExactOne) {
  const Case c = make_case({150, 120, 90}, {40, 35, 20}, 500);
  const std::vector<at::Tensor> inputs = joiner_inputs(c, 512);
  const Outcome exact = run_on(at::kCPU, band_loss(c, {}), inputs, at::ones({3}));
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16, at::kHalf}) {
    std::vector<at::Tensor> given = inputs;
    given[0] = inputs[0].to(type);
    given[1] = inputs[1].to(type);
    const Outcome found = run_on(at::kCUDA, band_loss(c, {.bf16 = true}), given, at::ones({3}));
    EXPECT_TRUE(at::allclose(found.loss, exact.loss, 1e-3)) << found.loss << exact.loss;
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(found.gradients[i].scalar_type(), given[i].scalar_type()) << i;
      const at::Tensor error = found.gradients[i].to(at::kFloat) - exact.gradients[i];
      EXPECT_LT(error.norm().item<double>(), 2e-2 * exact.gradients[i].norm().item<double>()) << i;
    }
  }
}

TEST_F(CudaLoss, OverABandGivesTheSameBytesAgain) {
  expect_the_same_bytes_again(band_loss, int64_t{1} << 20);
}

// Both passes; the ranges that the first one finds stay on the GPU. The gradients of a band are
// compared with those of the same band: where two windows of states have the same flow but for
// rounding, an argmax would find one on the CPU and the other on the GPU, and losses that agree to
// 1e-4 had gradients that differed by 7e-2. ranges_of_flows() takes the first of such windows, so
// that the bands are nearly always equal; what differs has to be worth as much.
TEST_F(CudaLoss, FusedWithBothPassesDoesNotSynchronise) {
  const Case c = make_case({90, 40, 25}, {20, 6, 12}, 28);
  std::vector<at::Tensor> inputs = joiner_inputs(c, 64);
  inputs.push_back(at::randn({28, 64}) * 0.2);
  inputs.push_back(at::randn({28, 64}) * 0.2);
  const LatticeLabels labels = labels_of(c);
  for (const Topology topology : kTopologies) {
    at::Tensor band;
    const auto both_passes = [&](bool finds_band) -> LossFunction {
      return [&, finds_band](const std::vector<at::Tensor>& x) {
        const SimpleLoss simple =
            simple_transducer_loss(at::linear(x[0], x[4]), at::linear(x[1], x[5]), labels,
                                   {.topology = topology, .lm_only_scale = 0.25});
        if (finds_band) band = ranges_of_flows(simple.flows, labels, topology, 5);
        return simple.losses + pruned_joiner_loss(joiner_of(x), band, labels,
                                                  {.fast_emit = 0.1, .topology = topology});
      };
    };
    const Outcome own = run_on(at::kCPU, both_passes(true), inputs, at::ones({3}));
    const Outcome found = run_on(at::kCUDA, both_passes(true), inputs, at::ones({3}));
    EXPECT_TRUE(at::allclose(found.loss, own.loss, 1e-3)) << found.loss << own.loss;
    band = band.cpu();
    expect_equal_outcomes(found, run_on(at::kCPU, both_passes(false), inputs, at::ones({3})), 1e-4);
  }
}

TEST_F(CudaLoss, RangesAreCheckedOnTheCpuAndMarkedOnTheGpu) {
  const Case c = make_case({9, 7, 8}, {6, 5, 4}, 6);
  const LatticeLabels labels = labels_of(c);
  const std::vector<at::Tensor> inputs = joiner_inputs(c, 8);
  at::Tensor ranges = climbing_band(c, at::kCPU);
  ranges[1][3][2] += 1;
  const auto losses = [&](at::Device device) {
    std::vector<at::Tensor> x;
    for (const at::Tensor& input : inputs) x.push_back(input.cuda());
    return pruned_joiner_loss(joiner_of(x), ranges.to(device), labels).cpu();
  };
  EXPECT_THROW(losses(at::kCPU), UserError);
  const at::Tensor marked = losses(at::kCUDA);
  EXPECT_TRUE(at::equal(marked.isnan(), at::tensor({0, 1, 0}).to(at::kBool)));
  ranges[1][3][2] -= 1;
  EXPECT_TRUE(at::equal(losses(at::kCPU), losses(at::kCUDA)));
  EXPECT_EQ(losses(at::kCPU)[0].item<float>(), marked[0].item<float>());
}

TEST_F(CudaLoss, OfLogProbabilitiesEqualsTheCpus) {
  const Case c = make_case({90, 40, 1}, {20, 6, 0}, 28);
  const LossFunction f = [&](const std::vector<at::Tensor>& x) {
    return transducer_loss_from_log_probs(x[0], labels_of(c));
  };
  const std::vector<at::Tensor> inputs = {logits_input(c).log_softmax(-1)};
  expect_equal_outcomes(run_on(at::kCUDA, f, inputs, at::ones({3})),
                        run_on(at::kCPU, f, inputs, at::ones({3})), 1e-5);
}

TEST_F(CudaLoss, BesideATeacherEqualsTheCpus) {
  const Case c = make_case({90, 30, 1}, {40, 0, 5}, 28);
  const std::vector<at::Tensor> inputs = joiner_inputs(c, 64), teacher = joiner_inputs(c, 96);
  const LossFunction f = [&](const std::vector<at::Tensor>& x) {
    const auto there = [&](size_t i) { return upload(teacher[i], x[0].device()); };
    const NodeTargets targets = node_targets({there(0), there(1), there(2), there(3)}, labels_of(c),
                                             NodeWeighting::occupied);
    const DistilledLoss loss = distilled_joiner_loss(joiner_of(x), labels_of(c), targets);
    return loss.transducer + 0.3 * loss.divergence;
  };
  expect_equal_outcomes(run_on(at::kCUDA, f, inputs, at::ones({3})),
                        run_on(at::kCPU, f, inputs, at::ones({3})), 1e-4);
}

TEST_F(CudaLoss, OfCtcEqualsTheCpus) {
  Case c = make_case({45, 60, 100, 8, 2}, {20, 7, 37, 1, 4}, 28);
  c.tokens[1].slice(0, 2, 5).fill_(3);
  const LossFunction f = [&](const std::vector<at::Tensor>& x) {
    return scion::ctc_loss(x[0], labels_of(c));
  };
  const std::vector<at::Tensor> inputs = {at::randn({5, c.T, 28}) * 2};
  expect_equal_outcomes(run_on(at::kCUDA, f, inputs, at::ones({5})),
                        run_on(at::kCPU, f, inputs, at::ones({5})), 1e-5);
}

TEST_F(CudaLoss, TensorsOnTwoDevicesAreRefused) {
  const Case c = make_case({4}, {2}, 5);
  std::vector<at::Tensor> inputs = joiner_inputs(c, 8);
  inputs[0] = inputs[0].cuda();
  EXPECT_THROW(joiner_loss(c)(inputs), UserError);
}

}  // namespace
}  // namespace scion
