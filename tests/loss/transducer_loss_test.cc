#include "scion/loss/transducer_loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/safetensors.h"
#include "scion/core/threads.h"
#include "scion/loss/cpu/kernels.h"
#include "scion/loss/pruned_loss.h"
#include "tests/core/peak_memory.h"
#include "tests/loss/lattice_cases.h"

namespace scion {
namespace {

using scion::testing::brute_force_transducer;
using scion::testing::Case;
using scion::testing::finite_differences;
using scion::testing::joiner_of;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::make_case;
using scion::testing::peak_memory;
using ::testing::HasSubstr;

at::Tensor loss_of(const at::Tensor& logits, const Case& c, int64_t blank = 0) {
  return transducer_loss(logits, labels_of(c), {.blank = blank});
}

at::Tensor random_logits(const Case& c, double scale = 2) {
  return at::randn({c.tokens.size(0), c.T, c.U + 1, c.V}) * scale;
}

/// Loss and gradient of Σ weights · loss.
std::pair<at::Tensor, at::Tensor> loss_and_gradient(const at::Tensor& logits, const Case& c,
                                                    const at::Tensor& weights, int64_t blank = 0) {
  const at::Tensor leaf = logits.detach().clone().requires_grad_();
  const at::Tensor loss = loss_of(leaf, c, blank);
  loss.backward(weights);
  return {loss.detach(), leaf.grad()};
}

class TransducerLoss : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(7); }
};

// Wide rows, vector tails of every length, several vectors of labels.
TEST_F(TransducerLoss, ManySizesAgreeWithAutogradThroughTheRecursion) {
  for (const auto& [T, U, V] : std::vector<std::array<int64_t, 3>>{{1, 1, 2},
                                                                   {2, 17, 3},
                                                                   {33, 9, 15},
                                                                   {20, 20, 16},
                                                                   {9, 40, 17},
                                                                   {50, 33, 28},
                                                                   {7, 3, 131}}) {
    const Case c = make_case({T, (T + 1) / 2}, {U, U / 2}, V);
    const at::Tensor logits = random_logits(c);
    const at::Tensor weights = at::tensor({1.0, 0.25}, at::kFloat);
    const auto [loss, gradient] = loss_and_gradient(logits, c, weights);

    const at::Tensor leaf = logits.to(at::kDouble).requires_grad_();
    std::vector<at::Tensor> expected;
    for (int64_t b = 0; b < 2; ++b) {
      const at::Tensor log_probs = leaf[b].log_softmax(-1);
      const int64_t frames = c.frames[b].item<int64_t>(), labels = c.labels[b].item<int64_t>();
      std::vector<at::Tensor> before;
      for (int64_t t = 0; t < frames; ++t) {
        std::vector<at::Tensor> row;
        for (int64_t u = 0; u <= labels; ++u) {
          at::Tensor sum;
          if (t == 0 && u == 0) sum = at::zeros({}, at::kDouble);
          if (t > 0) sum = before[u] + log_probs[t - 1][u][0];
          if (u > 0) {
            const at::Tensor step =
                row[u - 1] + log_probs[t][u - 1][c.tokens[b][u - 1].item<int64_t>()];
            sum = sum.defined() ? at::logaddexp(sum, step) : step;
          }
          row.push_back(sum);
        }
        before = row;
      }
      expected.push_back(-(before[labels] + log_probs[frames - 1][labels][0]));
    }
    const at::Tensor expected_loss = at::stack(expected);
    (expected_loss * weights).sum().backward();
    EXPECT_LT(largest_difference(loss / expected_loss.detach(), at::ones({2})), 1e-6)
        << T << " " << U << " " << V;
    EXPECT_LT(largest_difference(gradient, leaf.grad()), 1e-5) << T << " " << U << " " << V;
  }
}

TEST_F(TransducerLoss, EqualsGoldenValues) {
  for (const auto& [name, blank] : std::vector<std::pair<std::string, int64_t>>{
           {"varlen", 8}, {"blank0_u0_tshort", 0}, {"all_empty_targets", 0}, {"clamped", 0}}) {
    const SafeTensors golden =
        read_safetensors(std::string(SCION_SOURCE_DIR) + "/tests/golden/rnnt_loss/torchaudio_" +
                         name + ".safetensors");
    Case c;
    c.tokens = golden.at("targets");
    c.frames = golden.at("logit_lengths");
    c.labels = golden.at("target_lengths");
    // torchaudio clamps before it applies the weights; scion and the float64 reference do not
    // clamp.
    const at::Tensor expected =
        name == "clamped" ? golden.at("grad_logits_f64") : golden.at("grad_logits");
    const auto [loss, gradient] =
        loss_and_gradient(golden.at("logits"), c, golden.at("weights"), blank);
    const at::Tensor costs = golden.at("costs");
    EXPECT_LT(largest_difference(loss / costs, at::ones_like(costs)), 1e-5) << name;
    EXPECT_LT(largest_difference(gradient, expected), 2e-5) << name;
  }
}

TEST_F(TransducerLoss, LogProbabilitiesAreLogitsToo) {
  const SafeTensors golden =
      read_safetensors(std::string(SCION_SOURCE_DIR) +
                       "/tests/golden/rnnt_loss/torchaudio_v24_logprobs.safetensors");
  const at::Tensor loss = transducer_loss(
      golden.at("logits"),
      {golden.at("targets"), golden.at("logit_lengths"), golden.at("target_lengths")});
  EXPECT_LT(largest_difference(loss / golden.at("costs"), at::ones_like(loss)), 1e-5);
}

TEST_F(TransducerLoss, LongUtterancesStayPrecise) {
  const Case c = make_case({5000}, {300}, 4);
  const at::Tensor logits = random_logits(c, 3);
  const auto [loss, gradient] = loss_and_gradient(logits, c, at::ones({1}));
  // Flow is conserved: every frame is left by exactly one blank.
  const at::Tensor valid = gradient[0].slice(0, 0, 5000).slice(1, 0, 301);
  const at::Tensor softmax = logits[0].slice(0, 0, 5000).slice(1, 0, 301).softmax(-1);
  const at::Tensor label_arcs = valid.select(-1, 0) * 0;
  EXPECT_LT(valid.sum(-1).abs().max().item<float>(), 1e-5);
  // The directional derivative, compared with differences of the loss.
  const at::Tensor direction = at::randn_like(logits);
  const float step = 1e-2;
  const double above = loss_of(logits + step * direction, c).item<double>();
  const double below = loss_of(logits - step * direction, c).item<double>();
  const double slope = (gradient * direction).sum().item<double>();
  EXPECT_NEAR((above - below) / (2 * step), slope, 2e-2 * std::abs(slope) + 0.2);
}

TEST_F(TransducerLoss, AnImpossibleArcIsNotAnError) {
  const Case c = make_case({3, 3}, {2, 2}, 4);
  at::Tensor logits = random_logits(c);
  logits[0][1][1][0] = -INFINITY;             // one blank is forbidden: other paths remain
  logits[1].slice(2, 0, 1).fill_(-INFINITY);  // no blank at all: no path remains
  const auto [loss, gradient] = loss_and_gradient(logits, c, at::ones({2}));
  const at::Tensor expected = brute_force_transducer(logits, c);
  EXPECT_NEAR(loss[0].item<double>(), expected[0].item<double>(), 1e-5);
  EXPECT_EQ(loss[1].item<float>(), INFINITY);
  EXPECT_TRUE(at::isfinite(gradient).all().item<bool>());
  EXPECT_GT(gradient[0].abs().max().item<float>(), 0);
  EXPECT_EQ(gradient[1].abs().max().item<float>(), 0);
}

TEST_F(TransducerLoss, CanGoBackwardTwice) {
  const Case c = make_case({4}, {2}, 5);
  const at::Tensor logits = random_logits(c).requires_grad_();
  const at::Tensor loss = loss_of(logits, c).sum();
  loss.backward({}, /*retain_graph=*/true);
  const at::Tensor once = logits.grad().clone();
  loss.backward();
  EXPECT_TRUE(at::equal(logits.grad(), once * 2));
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const UserError& e) {
    return std::string(e.what()) + " / " + e.hint();
  }
  return "no error";
}

TEST_F(TransducerLoss, ErrorsNameShapesAndTypes) {
  const Case good = make_case({4, 3}, {2, 1}, 5);
  const at::Tensor logits = random_logits(good);
  Case c = good;
  c.frames = good.frames.slice(0, 1);
  EXPECT_THAT(message_of([&] { loss_of(logits, c); }),
              HasSubstr("frame lengths have shape (1) for 2 utterances"));
  c = good;
  c.tokens = good.tokens.to(at::kFloat);
  EXPECT_THAT(message_of([&] { loss_of(logits, c); }), HasSubstr("tokens are of type Float"));
  EXPECT_THAT(message_of([&] { loss_of(logits, good, 5); }), HasSubstr("blank is 5 of 5 classes"));
  EXPECT_THAT(message_of([&] { loss_of(logits.to(at::kDouble), good); }),
              HasSubstr("logits are of type Double"));
}

// ---- fused with the joiner ----------------------------------------------------------------------

struct JoinerLeaves {
  std::vector<at::Tensor> tensors;  // encoder, predictor, weight, bias

  static JoinerLeaves random(const Case& c, int64_t D) {
    const int64_t B = c.tokens.size(0);
    return {{at::randn({B, c.T, D}), at::randn({B, c.U + 1, D}), at::randn({c.V, D}) * 0.3,
             at::randn({c.V})}};
  }
  JoinerLeaves leaves() const {
    JoinerLeaves copy;
    for (const at::Tensor& t : tensors) copy.tensors.push_back(t.detach().clone().requires_grad_());
    return copy;
  }
  at::Tensor fused(const Case& c, const TransducerLossOptions& options = {}) const {
    return joiner_transducer_loss(joiner_of(tensors), labels_of(c), options);
  }
  at::Tensor composed(const Case& c) const {
    const at::Tensor hidden = at::tanh(tensors[0].unsqueeze(2) + tensors[1].unsqueeze(1));
    return loss_of(at::linear(hidden, tensors[2], tensors[3]), c);
  }
};

using JoinerLoss = TransducerLoss;

TEST_F(JoinerLoss, EqualsTheComposedRoute) {
  struct Size {
    std::vector<int64_t> frames, labels;
    int64_t V, D;
  };
  for (const Size& size : std::vector<Size>{{{1}, {0}, 2, 1},
                                            {{9, 3, 1}, {4, 0, 5}, 28, 64},
                                            {{30, 22}, {7, 11}, 5, 19},
                                            {{70, 12, 41, 5}, {20, 12, 3, 1}, 61, 37},
                                            {{25}, {30}, 130, 48}}) {
    const Case c = make_case(size.frames, size.labels, size.V);
    const JoinerLeaves joiner = JoinerLeaves::random(c, size.D);
    const at::Tensor weights = at::randn({static_cast<int64_t>(size.frames.size())});
    const JoinerLeaves fused = joiner.leaves(), composed = joiner.leaves();
    const at::Tensor loss = fused.fused(c), expected = composed.composed(c);
    EXPECT_LT(largest_difference(loss / expected, at::ones_like(loss)), 1e-6);
    loss.backward(weights);
    expected.backward(weights);
    for (size_t i = 0; i < 4; ++i) {
      const at::Tensor want = composed.tensors[i].grad();
      EXPECT_LT(largest_difference(fused.tensors[i].grad(), want),
                3e-6 * (1 + want.abs().max().item<double>()))
          << "tensor " << i << ", V " << size.V << ", D " << size.D;
    }
  }
}

at::Tensor rounded(const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kFloat); }

// The value is that of rounded factors; gradients are rounded once more on the way.
TEST_F(JoinerLoss, InBfloat16EqualsTheComposedRouteOfRoundedFactors) {
  if (pair_kernels() == nullptr) GTEST_SKIP() << "no AVX512-BF16";
  for (const auto& [V, D] : {std::pair<int64_t, int64_t>{2, 1}, {28, 64}, {61, 37}, {130, 48}}) {
    const Case c = make_case({70, 12, 41, 5}, {20, 12, 3, 1}, V);
    const JoinerLeaves joiner = JoinerLeaves::random(c, D), fused = joiner.leaves(),
                       composed = joiner.leaves();
    const auto& in = fused.tensors;
    const at::Tensor loss = joiner_transducer_loss(joiner_of(in), labels_of(c), {.bf16 = true});
    const at::Tensor hidden =
        at::tanh(joiner.tensors[0].unsqueeze(2) + joiner.tensors[1].unsqueeze(1));
    const at::Tensor expected =
        loss_of(at::linear(rounded(hidden), rounded(joiner.tensors[2]), joiner.tensors[3]), c);
    EXPECT_LT(largest_difference(loss / expected, at::ones_like(loss)), 2e-5) << V << " " << D;
    loss.sum().backward();
    composed.composed(c).sum().backward();
    for (size_t i = 0; i < 4; ++i) {
      const at::Tensor want = composed.tensors[i].grad();
      const at::Tensor error = (fused.tensors[i].grad() - want).norm() / (want.norm() + 1e-3);
      EXPECT_LT(error.item<double>(), 1e-2) << "tensor " << i << ", V " << V << ", D " << D;
    }
  }
}

TEST_F(JoinerLoss, PermutingTheBatchPermutesTheLosses) {
  const Case c = make_case({7, 4, 9}, {2, 5, 3}, 11);
  const JoinerLeaves joiner = JoinerLeaves::random(c, 16).leaves();
  const at::Tensor order = at::tensor({2, 0, 1}, at::kLong);
  Case permuted = c;
  permuted.tokens = c.tokens.index_select(0, order);
  permuted.frames = c.frames.index_select(0, order);
  permuted.labels = c.labels.index_select(0, order);
  JoinerLeaves other = joiner.leaves();
  {
    at::NoGradGuard guard;
    for (size_t i = 0; i < 2; ++i) {
      other.tensors[i] = joiner.tensors[i].detach().index_select(0, order).requires_grad_();
    }
  }
  const at::Tensor loss = joiner.fused(c), permuted_loss = other.fused(permuted);
  EXPECT_TRUE(at::equal(loss.index_select(0, order), permuted_loss));
  loss.sum().backward();
  permuted_loss.sum().backward();
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(
        at::equal(joiner.tensors[i].grad().index_select(0, order), other.tensors[i].grad()));
  }
  EXPECT_LT(largest_difference(joiner.tensors[2].grad(), other.tensors[2].grad()), 1e-5);
}

TEST_F(JoinerLoss, WithoutGradientGivesTheSameLosses) {
  const Case c = make_case({9, 6}, {3, 2}, 19);
  const JoinerLeaves joiner = JoinerLeaves::random(c, 24), leaves = joiner.leaves();
  for (const bool bf16 : {false, true})
    EXPECT_TRUE(at::equal(joiner.fused(c, {.bf16 = bf16}), leaves.fused(c, {.bf16 = bf16})));
  EXPECT_FALSE(joiner.fused(c).requires_grad());
}

// Logits are all 0, so that every label has probability 1/V; the delay penalty leaves few nodes
// with a flow, so that the backward pass is short. Σ q^(t1 + … + tU) over all 0 ≤ t1 ≤ … ≤ tU < T
// is a Gaussian binomial coefficient.
TEST_F(JoinerLoss, CountsBeyondTwoToThe31Logits) {
  const int64_t T = 600, U = 89, V = 40000;
  static_assert(600LL * 90 * 40000 > (1LL << 31));
  const double penalty = 2, q = std::exp(-penalty);
  Case c{at::arange(1, U + 1).unsqueeze(0), at::tensor({T}), at::tensor({U}), T, U, V};
  at::Tensor bias = at::zeros({V}).requires_grad_();
  const at::Tensor loss = joiner_transducer_loss(
      {at::zeros({1, T, 1}), at::zeros({1, U + 1, 1}), at::zeros({V, 1}), bias}, labels_of(c),
      {.delay_penalty = penalty});
  loss.backward();
  double expected = double(T + U) * std::log(double(V)) - U * penalty * double(T - 1) / 2;
  for (int64_t i = 1; i <= U; ++i)
    expected -= std::log((1 - std::pow(q, T - 1 + i)) / (1 - std::pow(q, i)));
  EXPECT_NEAR(loss.item<double>(), expected, 1e-6 * std::abs(expected));
  at::Tensor gradient = at::full({V}, double(T + U) / double(V), at::kDouble);
  gradient[0] -= T;
  gradient.slice(0, 1, U + 1) -= 1;
  EXPECT_LT(largest_difference(bias.grad(), gradient), 1e-3);
}

/// Peak memory of a forward and a backward pass beyond that held before; nullopt if the system does
/// not report it.
std::optional<int64_t> memory_of(const std::function<at::Tensor()>& losses) {
  const int64_t before = peak_memory(true);
  if (before == 0) return std::nullopt;
  losses().sum().backward();
  return peak_memory(false) - before;
}

TEST_F(JoinerLoss, HoldsAWorkspaceOfLogitsAndNoMore) {
  constexpr int64_t kMegabyte = 1 << 20;
  const Case c = make_case({249, 249, 29}, {99, 99, 99}, 512);  // 49, 49 and 6 MB of logits
  for (const int64_t workspace : {0, 10, 60}) {
    const JoinerLeaves joiner = JoinerLeaves::random(c, 8).leaves();
    const auto memory =
        memory_of([&] { return joiner.fused(c, {.workspace_bytes = workspace * kMegabyte}); });
    if (!memory) GTEST_SKIP() << "the system does not report peak memory";
    EXPECT_LT(*memory, (workspace + 24) * kMegabyte);
    if (workspace == 60) {
      EXPECT_GT(*memory, 50 * kMegabyte);
    }
  }
}

// The band's logits alone would take 39 MB, those of all states 1.6 GB.
TEST_F(JoinerLoss, ABandHoldsAWorkspaceAndNoMore) {
  constexpr int64_t kMegabyte = 1 << 20;
  const Case c = make_case({1999, 1999}, {199, 199}, 1024);
  const at::Tensor first = at::arange(c.T).div(11, "floor").view({1, -1, 1}).expand({2, -1, -1});
  const at::Tensor ranges = first.clamp_max(c.U - 4) + at::arange(5);
  const JoinerLeaves joiner = JoinerLeaves::random(c, 8).leaves();
  const auto& in = joiner.tensors;
  const auto memory = memory_of([&] {
    return pruned_joiner_loss(joiner_of(in), ranges, labels_of(c), {.workspace_bytes = 0});
  });
  if (!memory) GTEST_SKIP() << "the system does not report peak memory";
  EXPECT_LT(*memory, 20 * kMegabyte);
}

// Sums (B, T, U+1) and gradients (B, T, V), of 6 and 16 MB, where all logits would take 3.3 GB.
TEST_F(JoinerLoss, TheSimplePassHoldsNoLogits) {
  constexpr int64_t kMegabyte = 1 << 20;
  const Case c = make_case({1999, 1999}, {199, 199}, 1024);
  const at::Tensor am = at::randn({2, c.T, c.V}).requires_grad_();
  const at::Tensor lm = at::randn({2, c.U + 1, c.V}).requires_grad_();
  const auto memory = memory_of(
      [&] { return simple_transducer_loss(am, lm, labels_of(c), {.lm_only_scale = 0.25}).losses; });
  if (!memory) GTEST_SKIP() << "the system does not report peak memory";
  EXPECT_LT(*memory, 100 * kMegabyte);
}

TEST_F(JoinerLoss, TheWorkspaceDoesNotChangeAByte) {
  const Case c = make_case({20, 9, 14}, {5, 7, 0}, 33);
  const JoinerLeaves joiner = JoinerLeaves::random(c, 12);
  for (const bool bf16 : {false, true}) {
    std::vector<at::Tensor> first;
    for (const int64_t bytes : {0, 20000, 1 << 20}) {  // none, some and all fit
      const JoinerLeaves leaves = joiner.leaves();
      const at::Tensor loss = leaves.fused(c, {.bf16 = bf16, .workspace_bytes = bytes});
      loss.sum().backward();
      std::vector<at::Tensor> results = {loss.detach()};
      for (const at::Tensor& tensor : leaves.tensors) results.push_back(tensor.grad());
      if (first.empty()) first = results;
      for (size_t i = 0; i < first.size(); ++i)
        EXPECT_TRUE(at::equal(results[i], first[i])) << bf16 << " " << bytes << " " << i;
    }
  }
}

TEST_F(JoinerLoss, ErrorsNameTheShapes) {
  const Case c = make_case({4}, {2}, 5);
  JoinerLeaves joiner = JoinerLeaves::random(c, 8);
  joiner.tensors[2] = at::randn({5, 9});
  EXPECT_THAT(message_of([&] { joiner.fused(c); }),
              HasSubstr("weight (5, 9), bias (5) and tokens (1, 3) do not fit together"));
}

}  // namespace
}  // namespace scion
