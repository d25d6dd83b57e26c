#include "scion/loss/distillation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/threads.h"
#include "scion/loss/alignment.h"
#include "scion/loss/transducer_loss.h"
#include "tests/core/error_of.h"
#include "tests/core/peak_memory.h"
#include "tests/core/temporary_folder.h"
#include "tests/loss/lattice_cases.h"

namespace scion {
namespace {

using scion::testing::Case;
using scion::testing::finite_differences;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::logits_of;
using scion::testing::make_case;
using scion::testing::peak_memory;
using scion::testing::random_joiner_inputs;
using ::testing::HasSubstr;

/// Copies in `type` that require gradients.
JoinerInputs leaves(const JoinerInputs& joiner, at::ScalarType type = at::kFloat) {
  JoinerInputs copy = joiner;
  for (at::Tensor* tensor : {&copy.encoder, &copy.predictor, &copy.weight, &copy.bias})
    *tensor = tensor->detach().to(type).clone().requires_grad_();
  return copy;
}

DistilledLoss fused(const JoinerInputs& joiner, const Case& c, const NodeTargets& targets,
                    const TransducerLossOptions& options = {}) {
  return distilled_joiner_loss(joiner, labels_of(c), targets, options);
}

at::Tensor plain_loss(const JoinerInputs& joiner, const Case& c,
                      const TransducerLossOptions& options = {}) {
  return joiner_transducer_loss(joiner, labels_of(c), options);
}

std::vector<at::Tensor> gradients(const JoinerInputs& joiner) {
  return {joiner.encoder.grad(), joiner.predictor.grad(), joiner.weight.grad(), joiner.bias.grad()};
}

/// f(b, t, u, probabilities of {blank, label, rest}) at every node of logits (B, T, U+1, V).
template <class F>
void for_each_node(const at::Tensor& logits, const Case& c, int64_t blank, F f) {
  const at::Tensor softmax = logits.detach().to(at::kDouble).softmax(-1).contiguous();
  const auto p = softmax.accessor<double, 4>();
  const auto tokens = c.tokens.accessor<int64_t, 2>();
  const auto frames = c.frames.accessor<int64_t, 1>(), labels = c.labels.accessor<int64_t, 1>();
  for (int64_t b = 0; b < c.tokens.size(0); ++b)
    for (int64_t t = 0; t < frames[b]; ++t)
      for (int64_t u = 0; u <= labels[b]; ++u) {
        const int64_t label = u == labels[b] ? -1 : tokens[b][u];
        std::array<double, 3> classes = {0, 0, 0};
        for (int64_t v = 0; v < c.V; ++v)
          classes[v == blank ? 0 : v == label ? 1 : 2] += p[b][t][u][v];
        f(b, t, u, classes);
      }
}

/// The divergence by its definition, (B) float64.
at::Tensor divergence_by_loops(const at::Tensor& logits, const Case& c, const NodeTargets& targets,
                               int64_t blank) {
  std::vector<double> sums(static_cast<size_t>(c.tokens.size(0)), 0);
  const auto teacher = targets.probabilities.accessor<float, 4>();
  const auto weights = targets.weights.accessor<float, 3>();
  for_each_node(logits, c, blank, [&](int64_t b, int64_t t, int64_t u, const auto& student) {
    for (int64_t k = 0; k < 3; ++k) {
      const double q = teacher[k][b][t][u];
      if (q > 0) sums[b] += weights[b][t][u] * q * std::log(q / student[k]);
    }
  });
  return at::tensor(sums, at::kDouble);
}

class Distillation : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(5); }
};

TEST_F(Distillation, TargetsAreTheTeachersSoftmaxInThreeClasses) {
  const Case c = make_case({4, 1, 6}, {3, 0, 2}, 7);
  const JoinerInputs teacher = random_joiner_inputs(c, 5);
  const NodeTargets targets = node_targets(teacher, labels_of(c), NodeWeighting::all);
  at::Tensor expected = at::zeros_like(targets.probabilities);
  at::Tensor inside = at::zeros_like(targets.weights);
  for_each_node(logits_of(teacher), c, 0,
                [&](int64_t b, int64_t t, int64_t u, const auto& classes) {
                  inside[b][t][u] = 1;
                  for (int64_t k = 0; k < 3; ++k) expected[k][b][t][u] = classes[k];
                });
  EXPECT_LT(largest_difference(targets.probabilities, expected), 1e-6);
  const at::Tensor share = (c.frames + c.labels) / (c.frames * (c.labels + 1));
  EXPECT_LT(largest_difference(targets.weights, inside * share.view({-1, 1, 1})), 1e-6);
  EXPECT_FALSE(targets.probabilities.requires_grad());
}

TEST_F(Distillation, OccupiedNodesHaveTheTeachersPosteriorAsWeight) {
  const Case c = make_case({4, 1, 6}, {3, 0, 2}, 7);
  const JoinerInputs teacher = random_joiner_inputs(c, 5);
  const NodeTargets all = node_targets(teacher, labels_of(c), NodeWeighting::all);
  const NodeTargets targets = node_targets(teacher, labels_of(c), NodeWeighting::occupied);
  const ArcOccupation arcs = arc_occupation(teacher, labels_of(c));
  EXPECT_TRUE(at::equal(targets.probabilities, all.probabilities));
  EXPECT_LT(largest_difference(targets.weights, arcs.blank + arcs.label), 1e-6);
  for (const NodeTargets& one : {targets, all})
    EXPECT_LT(largest_difference(one.weights.sum({1, 2}), c.frames + c.labels), 1e-4);
}

TEST_F(Distillation, TheDefinitionInTensorsIsThatInLoops) {
  for (const int64_t blank : {0, 6}) {
    Case c = make_case({4, 1, 6}, {3, 0, 2}, 7);
    if (blank == 6) c.tokens = c.tokens - 1;
    const NodeTargets targets = node_targets(random_joiner_inputs(c, 5), labels_of(c),
                                             NodeWeighting::occupied, {.blank = blank});
    const at::Tensor logits = at::randn({3, c.T, c.U + 1, c.V}, at::kDouble) * 3;
    EXPECT_LT(largest_difference(node_divergence(logits, labels_of(c), targets, blank),
                                 divergence_by_loops(logits, c, targets, blank)),
              1e-6);
  }
}

TEST_F(Distillation, ItsGradientIsThatOfFiniteDifferences) {
  const Case c = make_case({3, 2}, {2, 0}, 4);
  const NodeTargets targets =
      node_targets(random_joiner_inputs(c, 5), labels_of(c), NodeWeighting::all);
  const at::Tensor logits = at::randn({2, c.T, c.U + 1, c.V}, at::kDouble).requires_grad_();
  const at::Tensor weights = at::tensor({0.5, -2.0}, at::kDouble);
  node_divergence(logits, labels_of(c), targets, 0).backward(weights);
  const at::Tensor expected = finite_differences(
      [&](const at::Tensor& z) {
        return (divergence_by_loops(z, c, targets, 0) * weights).sum().item<double>();
      },
      logits.detach());
  EXPECT_LT(largest_difference(logits.grad(), expected), 1e-6);
}

// Two classes leave none for the rest; one wide lattice fills several tiles.
TEST_F(Distillation, TheFusedFormIsTheDefinition) {
  struct Size {
    std::vector<int64_t> frames, labels;
    int64_t V, D;
  };
  for (const Size& size : std::vector<Size>{{{1}, {0}, 2, 1},
                                            {{5, 3}, {2, 3}, 2, 7},
                                            {{9, 3, 1}, {4, 0, 5}, 28, 64},
                                            {{70, 12, 41, 5}, {20, 12, 3, 1}, 61, 37}}) {
    const Case c = make_case(size.frames, size.labels, size.V);
    for (const NodeWeighting weighting : {NodeWeighting::all, NodeWeighting::occupied}) {
      const NodeTargets targets =
          node_targets(random_joiner_inputs(c, 11), labels_of(c), weighting);
      const JoinerInputs student = random_joiner_inputs(c, size.D);
      const auto B = static_cast<int64_t>(size.frames.size());
      const at::Tensor weights = at::randn({B}), divergence_weights = at::rand({B});

      const JoinerInputs one = leaves(student);
      const DistilledLoss loss = fused(one, c, targets);
      ((loss.transducer * weights).sum() + (loss.divergence * divergence_weights).sum()).backward();

      const JoinerInputs two = leaves(student), exact = leaves(student, at::kDouble);
      const at::Tensor transducer = plain_loss(two, c);
      transducer.backward(weights);
      const at::Tensor divergence = node_divergence(logits_of(exact), labels_of(c), targets, 0);
      divergence.backward(divergence_weights.to(at::kDouble));

      EXPECT_TRUE(at::equal(loss.transducer, transducer));
      EXPECT_LT(largest_difference(loss.divergence, divergence),
                2e-6 * (1 + divergence.max().item<double>()));
      for (size_t i = 0; i < 4; ++i) {
        const at::Tensor want = gradients(two)[i] + gradients(exact)[i];
        EXPECT_LT(largest_difference(gradients(one)[i], want),
                  5e-6 * (1 + want.abs().max().item<double>()))
            << "tensor " << i << ", V " << size.V << ", D " << size.D;
      }
    }
  }
}

TEST_F(Distillation, PenaltiesAreTheTransducersOnly) {
  const Case c = make_case({9, 4}, {4, 2}, 12);
  const NodeTargets targets =
      node_targets(random_joiner_inputs(c, 3), labels_of(c), NodeWeighting::occupied);
  const JoinerInputs student = random_joiner_inputs(c, 8);
  const TransducerLossOptions options{.fast_emit = 0.3, .delay_penalty = 0.2};
  const JoinerInputs one = leaves(student), two = leaves(student), three = leaves(student);
  const DistilledLoss loss = fused(one, c, targets, options);
  (loss.transducer.sum() + 2 * loss.divergence.sum()).backward();
  plain_loss(two, c, options).sum().backward();
  const at::Tensor divergence = node_divergence(logits_of(three), labels_of(c), targets, 0);
  (2 * divergence.sum()).backward();
  EXPECT_LT(largest_difference(loss.divergence, divergence), 2e-5);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_LT(largest_difference(gradients(one)[i], gradients(two)[i] + gradients(three)[i]), 2e-5);
}

TEST_F(Distillation, NothingIsLeftToLearnFromOneself) {
  const Case c = make_case({9, 4}, {4, 2}, 12);
  const JoinerInputs student = leaves(random_joiner_inputs(c, 8));
  const DistilledLoss loss =
      fused(student, c, node_targets(student, labels_of(c), NodeWeighting::all));
  EXPECT_LT(loss.divergence.abs().max().item<double>(), 1e-4);
  loss.divergence.sum().backward();
  for (const at::Tensor& gradient : gradients(student))
    EXPECT_LT(gradient.abs().max().item<double>(), 1e-4);
}

// A student that is certain of blank, and a teacher that is not: p_rest is e^-30, then below the
// smallest float.
TEST_F(Distillation, AStudentThatIsCertainStillGetsGradients) {
  const Case c = make_case({3}, {1}, 6);
  const NodeTargets targets =
      node_targets(random_joiner_inputs(c, 5), labels_of(c), NodeWeighting::all);
  for (const double sure : {30.0, 300.0}) {
    JoinerInputs student = random_joiner_inputs(c, 8);
    student.bias[0] += sure;
    student = leaves(student);
    const DistilledLoss loss = fused(student, c, targets);
    loss.divergence.sum().backward();
    const JoinerInputs exact = leaves(student, at::kDouble);
    const at::Tensor divergence = node_divergence(logits_of(exact), labels_of(c), targets, 0);
    divergence.sum().backward();
    EXPECT_NEAR(loss.divergence.item<double>() / divergence.item<double>(), 1, 1e-5);
    const at::Tensor blank = student.bias.grad()[0], expected = exact.bias.grad()[0];
    EXPECT_NEAR(blank.item<double>(), expected.item<double>(), 1e-4) << sure;
    EXPECT_GT(blank.item<double>(), 1) << sure;
    if (sure < 60)
      EXPECT_LT(largest_difference(student.bias.grad(), exact.bias.grad()), 1e-4);
    else
      EXPECT_TRUE(student.bias.grad().isfinite().all().item<bool>());
  }
}

TEST_F(Distillation, BFloat16ProductsChangeLittle) {
  const Case c = make_case({40, 22}, {12, 7}, 61);
  const NodeTargets targets =
      node_targets(random_joiner_inputs(c, 16), labels_of(c), NodeWeighting::occupied);
  const JoinerInputs student = random_joiner_inputs(c, 32), one = leaves(student);
  const at::Tensor full = fused(one, c, targets).divergence;
  full.sum().backward();
  for (const int64_t workspace : {0, 1 << 20}) {
    const JoinerInputs two = leaves(student);
    const at::Tensor half =
        fused(two, c, targets, {.bf16 = true, .workspace_bytes = workspace}).divergence;
    EXPECT_LT(largest_difference(half / full, at::ones({2})), 2e-2);
    half.sum().backward();
    for (size_t i = 0; i < 4; ++i) {
      const at::Tensor want = gradients(one)[i];
      EXPECT_LT((gradients(two)[i] - want).norm().item<double>(),
                3e-2 * want.norm().item<double>());
    }
  }
}

TEST_F(Distillation, ThreadsDoNotChangeAByte) {
  const Case c = make_case({60, 31, 17}, {12, 9, 0}, 28);
  const JoinerInputs teacher = random_joiner_inputs(c, 16), student = random_joiner_inputs(c, 32);
  const JoinerInputs one = leaves(student), three = leaves(student);
  const auto run = [&](int threads, const JoinerInputs& joiner) {
    set_thread_count(threads);
    const DistilledLoss loss =
        fused(joiner, c, node_targets(teacher, labels_of(c), NodeWeighting::occupied));
    (loss.transducer.sum() + loss.divergence.sum()).backward();
    return loss.divergence;
  };
  const int before = thread_count();
  const at::Tensor first = run(1, one), second = run(3, three);
  set_thread_count(before);
  EXPECT_TRUE(at::equal(first, second));
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(at::equal(gradients(one)[i], gradients(three)[i]));
}

TEST_F(Distillation, NeverHoldsAllLogits) {
  const Case c = make_case({249, 249}, {99, 99}, 512);
  const JoinerInputs teacher = random_joiner_inputs(c, 12),
                     student = leaves(random_joiner_inputs(c, 8));
  student.encoder.mutable_grad() = at::zeros_like(student.encoder);
  const int64_t all_logits = 2 * 250 * 100 * 512 * 4;  // 102 MB
  const int64_t before = peak_memory(true);
  if (before == 0) GTEST_SKIP() << "the system does not report peak memory";
  const DistilledLoss loss = fused(
      student, c, node_targets(teacher, labels_of(c), NodeWeighting::all), {.workspace_bytes = 0});
  (loss.transducer.sum() + loss.divergence.sum()).backward();
  EXPECT_LT(peak_memory(false) - before, all_logits / 3);
}

TEST_F(Distillation, ErrorsNameTheSizes) {
  const Case c = make_case({4}, {2}, 5), other = make_case({5}, {2}, 5);
  const NodeTargets targets =
      node_targets(random_joiner_inputs(other, 5), labels_of(other), NodeWeighting::all);
  EXPECT_THAT(error_of<UserError>([&] { fused(random_joiner_inputs(c, 5), c, targets); }),
              HasSubstr("a teacher's nodes (3, 1, 6, 4) and weights (1, 6, 4) do not fit"));
  EXPECT_THAT(error_of<UserError>([&] {
                ctc_divergence(at::zeros({1, 4, 5}), at::zeros({1, 4, 6}), c.frames, 1);
              }),
              HasSubstr("(1, 4, 5), the student's (1, 4, 6)"));
}

TEST_F(Distillation, CtcHeadsDivergeByTheDefinition) {
  const at::Tensor lengths = at::tensor({int64_t{3}, int64_t{2}});
  const at::Tensor teacher = at::randn({2, 4, 5}, at::kDouble) * 2;
  const at::Tensor student = at::randn({2, 4, 5}, at::kDouble).requires_grad_();
  for (const double temperature : {1.0, 2.5}) {
    const auto by_loops = [&](const at::Tensor& logits) {
      double sum = 0;
      const at::Tensor softmax = at::stack({teacher, logits}).div(temperature).softmax(-1);
      const auto p = softmax.accessor<double, 4>();
      for (int64_t b = 0; b < 2; ++b)
        for (int64_t t = 0; t < (b == 0 ? 3 : 2); ++t)
          for (int64_t v = 0; v < 5; ++v)
            sum += (b == 0 ? 1 : 3) * p[0][b][t][v] * std::log(p[0][b][t][v] / p[1][b][t][v]);
      return temperature * temperature * sum;
    };
    student.mutable_grad() = at::Tensor();
    const at::Tensor divergence = ctc_divergence(teacher, student, lengths, temperature);
    EXPECT_NEAR((divergence[0] + 3 * divergence[1]).item<double>(), by_loops(student.detach()),
                1e-9);
    divergence.backward(at::tensor({1.0, 3.0}, at::kDouble));
    EXPECT_LT(largest_difference(student.grad(), finite_differences(by_loops, student.detach())),
              1e-6);
  }
}

}  // namespace
}  // namespace scion
