// FastEmit, the delay penalty, occupation and alignment: results that depend on single arcs.
#include "scion/loss/alignment.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/safetensors.h"
#include "scion/loss/transducer_loss.h"
#include "tests/loss/lattice_cases.h"

namespace scion {
namespace {

using scion::testing::Case;
using scion::testing::joiner_of;
using scion::testing::kTopologies;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::logits_of;
using scion::testing::make_case;
using scion::testing::random_joiner_inputs;

/// One alignment: the frame of each label, and its log-probability in two parts.
struct Path {
  std::vector<int64_t> frames;
  at::Tensor blanks, labels;  // scalars, float64
};

/// The alignment whose labels are in these frames of utterance b.
Path path_of(const at::Tensor& log_probs, const Case& c, int64_t b,
             const std::vector<int64_t>& frames, Topology topology) {
  Path path{frames, at::zeros({}, at::kDouble), at::zeros({}, at::kDouble)};
  int64_t emitted = 0;
  const auto labels = static_cast<int64_t>(frames.size());
  for (int64_t t = 0; t < c.frames[b].item<int64_t>(); ++t) {
    const int64_t before = emitted;
    for (; emitted < labels && frames[size_t(emitted)] == t; ++emitted)
      path.labels = path.labels + log_probs[b][t][emitted][c.tokens[b][emitted].item<int64_t>()];
    // `modified`: a label replaces the frame's blank.
    if (emitted == before || topology != Topology::modified)
      path.blanks = path.blanks + log_probs[b][t][emitted][0];
  }
  return path;
}

/// Every alignment of utterance b, by trying all ascending frames of its labels.
std::vector<Path> all_paths(const at::Tensor& log_probs, const Case& c, int64_t b,
                            Topology topology = Topology::regular) {
  const int64_t T = c.frames[b].item<int64_t>(), U = c.labels[b].item<int64_t>();
  std::vector<Path> paths;
  std::vector<int64_t> frames(size_t(U), 0);
  const std::function<void(int64_t, int64_t)> place = [&](int64_t u, int64_t from) {
    if (u == U) return paths.push_back(path_of(log_probs, c, b, frames, topology));
    for (int64_t t = from; t < T; ++t) {
      frames[size_t(u)] = t;
      place(u + 1, topology == Topology::regular ? t : t + 1);
    }
  };
  place(0, 0);
  return paths;
}

/// Σ over a path's labels of (T − 1) / 2 − t.
double earliness(const Path& path, int64_t T) {
  double sum = 0;
  for (const int64_t t : path.frames) sum += double(T - 1) / 2 - double(t);
  return sum;
}

class LatticePaths : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(11); }
};

TEST_F(LatticePaths, DelayPenaltyWeighsEveryAlignmentByItsFrames) {
  const Case c = make_case({5, 3, 1}, {3, 2, 2}, 6);
  const at::Tensor logits = at::randn({3, c.T, c.U + 1, 6}).requires_grad_();
  const at::Tensor copy = logits.detach().to(at::kDouble).requires_grad_();
  const double penalty = 0.4;
  const at::Tensor loss = transducer_loss(logits, labels_of(c), {.delay_penalty = penalty});
  std::vector<at::Tensor> expected;
  for (int64_t b = 0; b < 3; ++b) {
    std::vector<at::Tensor> terms;
    for (const Path& path : all_paths(copy.log_softmax(-1), c, b))
      terms.push_back(path.blanks + path.labels +
                      penalty * earliness(path, c.frames[b].item<int64_t>()));
    expected.push_back(-at::logsumexp(at::stack(terms), {0}));
  }
  EXPECT_LT(largest_difference(loss, at::stack(expected)), 3e-6);
  loss.sum().backward();
  at::stack(expected).sum().backward();
  EXPECT_LT(largest_difference(logits.grad(), copy.grad()), 2e-6);
}

TEST_F(LatticePaths, DelayPenaltyEqualsK2) {
  const SafeTensors golden = read_safetensors(
      std::string(SCION_SOURCE_DIR) + "/tests/golden/rnnt_loss/k2_delay_penalty.safetensors");
  const at::Tensor boundary = golden.at("boundary");
  const at::Tensor logits =
      at::matmul(at::tanh(golden.at("enc").unsqueeze(2) + golden.at("dec").unsqueeze(1)),
                 golden.at("W"))
          .requires_grad_();
  const at::Tensor loss =
      transducer_loss(logits, {golden.at("symbols"), boundary.select(1, 3), boundary.select(1, 2)},
                      {.delay_penalty = 0.3});
  loss.sum().backward();
  const at::Tensor expected = golden.at("regular.full.loss");
  EXPECT_LT(largest_difference(loss / expected, at::ones({2})), 1e-5);
  EXPECT_LT(largest_difference(logits.grad(), golden.at("regular.full.grad_logits")), 1e-5);
}

// The gradient of an expectation over alignments in which labels count 1 + λ times.
TEST_F(LatticePaths, FastEmitScalesTheLabelsShareOfTheGradient) {
  const Case c = make_case({4, 2, 3}, {2, 3, 0}, 5);
  const at::Tensor logits = at::randn({3, c.T, c.U + 1, 5}).requires_grad_();
  const at::Tensor copy = logits.detach().to(at::kDouble).requires_grad_();
  const double lambda = 0.25;
  const at::Tensor loss = transducer_loss(logits, labels_of(c), {.fast_emit = lambda});
  EXPECT_TRUE(at::equal(loss, transducer_loss(logits, labels_of(c))));
  loss.sum().backward();
  at::Tensor expected = at::zeros({}, at::kDouble);
  for (int64_t b = 0; b < 3; ++b) {
    std::vector<at::Tensor> whole, weighted;
    for (const Path& path : all_paths(copy.log_softmax(-1), c, b)) {
      whole.push_back(path.blanks + path.labels);
      weighted.push_back(path.blanks + (1 + lambda) * path.labels);
    }
    const at::Tensor share = at::stack(whole).softmax(0).detach();
    expected = expected - (share * at::stack(weighted)).sum();
  }
  expected.backward();
  EXPECT_LT(largest_difference(logits.grad(), copy.grad()), 2e-6);
}

// In `constrained` a label's arc includes the blank that follows: FastEmit scales its share, too.
TEST_F(LatticePaths, FastEmitScalesWholeLabelArcs) {
  const Case c = make_case({5, 4, 3}, {2, 3, 0}, 5);
  const at::Tensor values = at::randn({3, c.T, c.U + 1, 5}).log_softmax(-1);
  const double lambda = 0.25;
  for (const Topology topology : kTopologies) {
    const auto arcs = [&](double fast_emit) {
      const at::Tensor leaf = values.clone().requires_grad_();
      transducer_loss_from_log_probs(leaf, labels_of(c),
                                     {.fast_emit = fast_emit, .topology = topology})
          .sum()
          .backward();
      const at::Tensor next = at::constant_pad_nd(c.tokens.clamp_min(1), {0, 1}, 1);
      const at::Tensor index = next.view({3, 1, -1, 1}).expand({3, c.T, c.U + 1, 1});
      return std::pair(leaf.grad().select(3, 0), leaf.grad().gather(3, index).squeeze(3));
    };
    const auto [blank, label] = arcs(0);
    const auto [scaled_blank, scaled_label] = arcs(lambda);
    EXPECT_LT(largest_difference(scaled_label, (1 + lambda) * label), 1e-6);
    at::Tensor expected = blank.clone();
    if (topology == Topology::constrained) expected.slice(2, 1) += lambda * label.slice(2, 0, c.U);
    EXPECT_LT(largest_difference(scaled_blank, expected), 1e-6);
    EXPECT_GT(label.abs().max().item<double>(), 0.1);
  }
}

TEST_F(LatticePaths, FusedAndComposedAgreeOnPenalisedGradients) {
  const Case c = make_case({30, 12}, {9, 4}, 17);
  const JoinerInputs joiner = random_joiner_inputs(c, 24);
  const TransducerLossOptions options{.fast_emit = 0.1, .delay_penalty = 0.05};
  std::vector<at::Tensor> fused, composed;
  for (const at::Tensor& x : {joiner.encoder, joiner.predictor, joiner.weight, joiner.bias}) {
    fused.push_back(x.clone().requires_grad_());
    composed.push_back(x.clone().requires_grad_());
  }
  const at::Tensor loss = joiner_transducer_loss(joiner_of(fused), labels_of(c), options);
  const at::Tensor same = transducer_loss(logits_of(joiner_of(composed)), labels_of(c), options);
  EXPECT_LT(largest_difference(loss / same, at::ones({2})), 1e-6);
  loss.sum().backward();
  same.sum().backward();
  for (size_t i = 0; i < 4; ++i)
    EXPECT_LT(largest_difference(fused[i].grad(), composed[i].grad()),
              3e-6 * (1 + composed[i].grad().abs().max().item<double>()))
        << i;
}

TEST_F(LatticePaths, OccupationIsTheShareOfTheAlignments) {
  const Case c = make_case({4, 1, 5}, {2, 3, 0}, 5);
  const JoinerInputs joiner = random_joiner_inputs(c, 3);
  const ArcOccupation occupation = arc_occupation(joiner, labels_of(c));
  const at::Tensor log_probs = logits_of(joiner).to(at::kDouble).log_softmax(-1);
  at::Tensor blank = at::zeros({3, c.T, c.U + 1}, at::kDouble), label = at::zeros_like(blank);
  for (int64_t b = 0; b < 3; ++b) {
    const std::vector<Path> paths = all_paths(log_probs, c, b);
    std::vector<at::Tensor> weights;
    for (const Path& path : paths) weights.push_back(path.blanks + path.labels);
    const at::Tensor share = at::stack(weights).softmax(0);
    for (size_t i = 0; i < paths.size(); ++i) {
      size_t emitted = 0;
      for (int64_t t = 0; t < c.frames[b].item<int64_t>(); ++t) {
        for (; emitted < paths[i].frames.size() && paths[i].frames[emitted] == t; ++emitted)
          label[b][t][int64_t(emitted)] += share[int64_t(i)];
        blank[b][t][int64_t(emitted)] += share[int64_t(i)];
      }
    }
  }
  EXPECT_LT(largest_difference(occupation.blank, blank), 2e-6);
  EXPECT_LT(largest_difference(occupation.label, label), 2e-6);
}

TEST_F(LatticePaths, BestAlignmentIsTheMostProbableOfAll) {
  for (int round = 0; round < 30; ++round) {
    const auto topology = static_cast<Topology>(round % 3);
    const Case c = make_case({1 + round % 5, 4, 1}, {round % 4, 3, 2}, 4);
    const JoinerInputs joiner = random_joiner_inputs(c, 2);
    const double penalty = round % 2 == 0 ? 0 : 0.5;
    const auto alignments =
        best_alignments(joiner, labels_of(c), {.delay_penalty = penalty, .topology = topology});
    const at::Tensor log_probs = logits_of(joiner).to(at::kDouble).log_softmax(-1);
    for (int64_t b = 0; b < 3; ++b) {
      double best = -INFINITY;
      Path winner;
      for (const Path& path : all_paths(log_probs, c, b, topology)) {
        const double value = (path.blanks + path.labels).item<double>() +
                             penalty * earliness(path, c.frames[b].item<int64_t>());
        if (value <= best) continue;
        best = value;
        winner = path;
      }
      const ForcedAlignment& alignment = alignments[size_t(b)];
      if (std::isfinite(best)) {
        EXPECT_NEAR(alignment.log_probability, best, 1e-5);
      } else {
        EXPECT_EQ(alignment.log_probability, best);  // more labels than frames
      }
      EXPECT_EQ(alignment.frames, winner.frames) << "round " << round << ", utterance " << b;
      for (size_t u = 0; u < winner.frames.size(); ++u)
        EXPECT_NEAR(
            alignment.probabilities[u],
            std::exp(
                log_probs[b][winner.frames[u]][int64_t(u)][c.tokens[b][int64_t(u)].item<int64_t>()]
                    .item<double>()),
            1e-5);
    }
  }
}

TEST_F(LatticePaths, OccupationCountsLabelsAndBlanksOfEachTopology) {
  const Case c = make_case({8, 5, 4}, {3, 5, 0}, 5);
  const JoinerInputs joiner = random_joiner_inputs(c, 3);
  for (const Topology topology : kTopologies) {
    const ArcOccupation occupation = arc_occupation(joiner, labels_of(c), {.topology = topology});
    EXPECT_LT(largest_difference(occupation.label.sum({1, 2}), c.labels), 1e-5);
    const at::Tensor blanks = topology == Topology::modified ? c.frames - c.labels : c.frames;
    EXPECT_LT(largest_difference(occupation.blank.sum({1, 2}), blanks), 1e-5);
  }
}

TEST_F(LatticePaths, ImpossibleAlignmentsHaveNoFrames) {
  const Case c = make_case({3, 2, 0}, {2, 1, 1}, 4);
  JoinerInputs joiner = random_joiner_inputs(c, 2);
  joiner.encoder[1].fill_(NAN);
  const auto alignments = best_alignments(joiner, labels_of(c));
  EXPECT_EQ(alignments[0].frames.size(), 2U);
  EXPECT_TRUE(alignments[1].frames.empty());
  EXPECT_FALSE(std::isfinite(alignments[1].log_probability));
  EXPECT_TRUE(alignments[2].frames.empty());
  EXPECT_EQ(alignments[2].log_probability, -INFINITY);
  EXPECT_EQ(arc_occupation(joiner, labels_of(c)).label[1].abs().sum().item<float>(), 0);
}

TEST_F(LatticePaths, RefusesRulesThatAreNotFinite) {
  const Case c = make_case({3}, {2}, 4);
  const at::Tensor logits = at::randn({1, c.T, c.U + 1, 4});
  EXPECT_THROW(transducer_loss(logits, labels_of(c), {.delay_penalty = NAN}), UserError);
  EXPECT_THROW(transducer_loss(logits, labels_of(c), {.fast_emit = INFINITY}), UserError);
}

}  // namespace
}  // namespace scion
