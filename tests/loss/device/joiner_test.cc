// The fused joiner on a device, also with a teacher: the bodies, tiles and order of a GPU on the
// CPU.

#include "scion/loss/cpu/joiner.h"

#include <gtest/gtest.h>

#include "scion/loss/distillation.h"
#include "scion/loss/transducer_loss.h"
#include "tests/loss/device/device_cases.h"

namespace scion {
namespace {

using scion::testing::batch_of;
using scion::testing::Case;
using scion::testing::DeviceTest;
using scion::testing::differentiate;
using scion::testing::expect_near;
using scion::testing::host_device;
using scion::testing::joiner_of;
using scion::testing::kMuchWorkspace;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::LossAndGradients;
using scion::testing::make_case;
using scion::testing::random_joiner;
using scion::testing::Turns;

using DeviceJoinerLoss = DeviceTest;

auto joiner_on_device(const Case& c, const TransducerLossOptions& options, int64_t workspace,
                      Turns turns = Turns::ascending) {
  return [=](const std::vector<at::Tensor>& x) {
    return device_joiner_loss(host_device(turns), joiner_of(x), batch_of(c, options),
                              {options.bf16, workspace});
  };
}

auto joiner_on_cpu(const Case& c, const TransducerLossOptions& options) {
  return [=](const std::vector<at::Tensor>& x) {
    return joiner_transducer_loss(joiner_of(x), labels_of(c), options);
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

// Tiles that are kept, made again, and still in the last slot; utterances across tiles.
TEST_F(DeviceJoinerLoss, IsTheSameInAnyWorkspace) {
  const Case c = make_case({30, 17, 1, 23}, {12, 9, 0, 20}, 9);
  const std::vector<at::Tensor> joiner = random_joiner(c, 8);
  const at::Tensor weights = at::randn({4});
  const LossAndGradients expected = differentiate(joiner_on_cpu(c, {}), joiner, weights);
  // 1044 nodes need 96 bytes each in a slot and 32 while they are processed.
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
        [&](const std::vector<at::Tensor>& x) { return transducer_loss(x[0], labels_of(c)); },
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

// Finds kernels in which threads read memory that others have not written yet, or overwritten.
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
      check_lattice_batch(0, 3, 4, {at::zeros({0, 1}, at::kLong), none, none}, {});
  const std::vector<at::Tensor> joiner = {at::zeros({0, 3, 8}), at::zeros({0, 2, 8}),
                                          at::randn({4, 8}), at::randn({4})};
  const LossAndGradients found = differentiate(
      [&](const std::vector<at::Tensor>& x) {
        return device_joiner_loss(host_device(), joiner_of(x), batch,
                                  {.workspace_bytes = kMuchWorkspace});
      },
      joiner, none.to(at::kFloat));
  EXPECT_EQ(found.loss.numel(), 0);
  EXPECT_EQ(found.gradients[2].abs().max().item<float>(), 0);
}

// ---- beside a teacher ---------------------------------------------------------------------------

NodeTargets random_targets(const Case& c) {
  const int64_t B = c.tokens.size(0);
  at::Tensor probabilities = at::randn({3, B, c.T, c.U + 1}).softmax(0);
  for (int64_t b = 0; b < B; ++b)  // the last state has no next label
    probabilities[1][b].slice(1, c.labels[b].item<int64_t>()).fill_(0);
  return {probabilities, at::rand({B, c.T, c.U + 1})};
}

auto distilled_on_device(const Case& c, const NodeTargets& targets, int64_t workspace,
                         const TransducerLossOptions& options = {}) {
  return [=](const std::vector<at::Tensor>& x) {
    const DistilledLoss loss = device_distilled_loss(
        host_device(), joiner_of(x), batch_of(c, options), targets, {options.bf16, workspace});
    return at::cat({loss.transducer, loss.divergence});
  };
}

auto distilled_on_cpu(const Case& c, const NodeTargets& targets,
                      const TransducerLossOptions& options = {}) {
  return [=](const std::vector<at::Tensor>& x) {
    const DistilledLoss loss = distilled_joiner_loss(joiner_of(x), labels_of(c), targets, options);
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

// Without a third class the probability of the others is zero.
TEST_F(DeviceJoinerLoss, BesideATeacherOfTwoClassesEqualsTheCpuRoute) {
  const Case c = make_case({4, 3}, {2, 0}, 2);
  const std::vector<at::Tensor> joiner = random_joiner(c, 3), teacher = random_joiner(c, 5);
  const NodeTargets targets = node_targets(joiner_of(teacher), labels_of(c), NodeWeighting::all);
  expect_near(differentiate(distilled_on_device(c, targets, kMuchWorkspace), joiner, at::ones({4})),
              differentiate(distilled_on_cpu(c, targets), joiner, at::ones({4})), 3e-6);
}

TEST_F(DeviceJoinerLoss, ArcsOfATeacherAreTheCpus) {
  const Case c = make_case({5, 1, 4}, {3, 0, 6}, 9);
  const std::vector<at::Tensor> x = random_joiner(c, 8);
  const SolvedLattices solved = solve_lattices_of(joiner_of(x), labels_of(c), {}, /*flows=*/false);
  const auto [blank, label] = solved.terms.arcs(solved.batch);
  const auto [found_blank, found_label] =
      device_joiner_arcs(host_device(), joiner_of(x), batch_of(c, {}), {});
  EXPECT_LT(largest_difference(found_blank, blank), 1e-5);
  EXPECT_LT(largest_difference(found_label, label), 1e-5);
}

}  // namespace
}  // namespace scion
