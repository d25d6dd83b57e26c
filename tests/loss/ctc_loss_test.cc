#include "scion/loss/ctc_loss.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/threads.h"
#include "tests/loss/lattice_cases.h"

namespace scion {
namespace {

using scion::testing::Case;
using scion::testing::finite_differences;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::make_case;

at::Tensor ctc_loss_of(const at::Tensor& logits, const Case& c, int64_t blank = 0) {
  return scion::ctc_loss(logits, labels_of(c), blank);
}

/// The sum over all strings of one symbol per frame that collapse to the labels: the definition.
double brute_force(const at::Tensor& logits, const std::vector<int64_t>& labels, int64_t blank) {
  const at::Tensor log_probs = logits.to(at::kDouble).log_softmax(-1).contiguous();
  const auto p = log_probs.accessor<double, 2>();
  const int64_t T = p.size(0), V = p.size(1);
  double total = 0;
  std::vector<int64_t> path(T, 0);
  while (true) {
    std::vector<int64_t> collapsed;
    double log_probability = 0;
    for (int64_t t = 0; t < T; ++t) {
      log_probability += p[t][path[t]];
      if (path[t] != blank && (t == 0 || path[t] != path[t - 1])) collapsed.push_back(path[t]);
    }
    if (collapsed == labels) total += std::exp(log_probability);
    int64_t t = 0;
    while (t < T && ++path[t] == V) path[t++] = 0;
    if (t == T) return -std::log(total);
  }
}

at::Tensor brute_force(const at::Tensor& logits, const Case& c, int64_t blank = 0) {
  std::vector<double> losses;
  for (int64_t b = 0; b < logits.size(0); ++b) {
    const at::Tensor labels = c.tokens[b].slice(0, 0, c.labels[b].item<int64_t>());
    losses.push_back(brute_force(
        logits[b].slice(0, 0, c.frames[b].item<int64_t>()),
        {labels.const_data_ptr<int64_t>(), labels.const_data_ptr<int64_t>() + labels.numel()},
        blank));
  }
  return at::tensor(losses, at::kDouble);
}

class CtcLossTest : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(11); }
};

TEST_F(CtcLossTest, IsTheSumOverAllStringsThatCollapse) {
  Case c = make_case({5, 1, 4, 3, 1}, {2, 1, 3, 0, 0}, 4);
  c.tokens[0].slice(0, 0, 2).fill_(2);  // a repeat
  const at::Tensor logits = at::randn({5, c.T, 4}) * 2;
  EXPECT_LT(largest_difference(ctc_loss_of(logits, c), brute_force(logits, c)), 2e-6);
}

TEST_F(CtcLossTest, GradientIsThatOfTheSum) {
  const Case c = make_case({4, 3}, {2, 0}, 3);
  const at::Tensor weights = at::tensor({1.5, -0.5}, at::kFloat);
  const at::Tensor logits = at::randn({2, c.T, 3}).requires_grad_();
  ctc_loss_of(logits, c).backward(weights);
  const at::Tensor expected = finite_differences(
      [&](const at::Tensor& z) { return (brute_force(z, c) * weights).sum().item<double>(); },
      logits.detach());
  EXPECT_LT(largest_difference(logits.grad(), expected), 1e-6);
}

TEST_F(CtcLossTest, EqualsThatOfLibtorch) {
  for (const int64_t blank : {0, 27}) {
    Case c = make_case({45, 60, 100, 8}, {20, 7, 37, 1}, 28);
    if (blank == 27) c.tokens = c.tokens.clamp_min(1) - 1;
    const at::Tensor logits = (at::randn({4, c.T, 28}) * 2).requires_grad_();
    const at::Tensor other = logits.detach().to(at::kDouble).requires_grad_();
    const at::Tensor loss = ctc_loss_of(logits, c, blank);
    const at::Tensor expected =
        at::ctc_loss(other.log_softmax(-1).transpose(0, 1), c.tokens.clamp_min(0), c.frames,
                     c.labels, blank, at::Reduction::None);
    EXPECT_LT(largest_difference(loss / expected, at::ones({4})), 1e-5);
    const at::Tensor weights = at::rand({4}, at::kDouble);
    loss.backward(weights.to(at::kFloat));
    expected.backward(weights);
    EXPECT_LT(largest_difference(logits.grad(), other.grad()), 2e-5);
  }
}

TEST_F(CtcLossTest, TooFewFramesGiveInfinityAndNoGradient) {
  Case c = make_case({2, 3, 3, 0, 0}, {3, 2, 2, 1, 0}, 5);
  c.tokens[1].slice(0, 0, 2).fill_(3);  // a repeat needs three frames: just enough
  c.tokens[2].slice(0, 0, 2).fill_(4);
  c.frames[2] = 2;
  const at::Tensor logits = at::randn({5, c.T, 5}).requires_grad_();
  const at::Tensor loss = ctc_loss_of(logits, c);
  EXPECT_TRUE(std::isfinite(loss[1].item<float>()));
  for (const int64_t b : {0, 2, 3, 4}) EXPECT_EQ(loss[b].item<float>(), INFINITY) << b;
  loss.sum().backward();
  EXPECT_TRUE(at::isfinite(logits.grad()).all().item<bool>());
  EXPECT_EQ(logits.grad()[0].abs().max().item<float>(), 0);
  EXPECT_GT(logits.grad()[1].abs().max().item<float>(), 0);
}

TEST_F(CtcLossTest, PaddingAndNonFiniteNeighboursHaveNoInfluence) {
  const Case c = make_case({5, 7}, {2, 3}, 6);
  const at::Tensor clean = at::randn({2, c.T, 6}).requires_grad_();
  at::Tensor dirty = clean.detach().clone();
  dirty[0].slice(0, 5).fill_(NAN);
  dirty[1][2][3] = NAN;
  dirty.requires_grad_();
  const at::Tensor loss = ctc_loss_of(clean, c), dirty_loss = ctc_loss_of(dirty, c);
  loss.sum().backward();
  dirty_loss.sum().backward();
  EXPECT_TRUE(at::equal(loss[0], dirty_loss[0]));
  EXPECT_FALSE(std::isfinite(dirty_loss[1].item<float>()));
  EXPECT_TRUE(at::equal(clean.grad()[0], dirty.grad()[0]));
  EXPECT_EQ(dirty.grad()[1].abs().max().item<float>(), 0);
}

TEST_F(CtcLossTest, TakesBFloat16AndEmptyBatches) {
  const Case c = make_case({5}, {2}, 6);
  const at::Tensor half = at::randn({1, c.T, 6}).to(at::kBFloat16).requires_grad_();
  ctc_loss_of(half, c).sum().backward();
  EXPECT_EQ(half.grad().scalar_type(), at::kBFloat16);
  const at::Tensor none = at::zeros({0}, at::kLong);
  EXPECT_EQ(
      scion::ctc_loss(at::zeros({0, 4, 3}), {at::zeros({0, 2}, at::kLong), none, none}).numel(), 0);
}

TEST_F(CtcLossTest, ErrorsAreTheUsers) {
  const Case c = make_case({5}, {2}, 6);
  EXPECT_THROW(ctc_loss_of(at::randn({1, c.T, 2}), c), UserError);
  EXPECT_THROW(ctc_loss_of(at::randn({c.T, 6}), c), UserError);
  EXPECT_THROW(ctc_loss_of(at::randn({1, 4, 6}), c), UserError);
}

}  // namespace
}  // namespace scion
