#include "scion/loss/tdt_loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/safetensors.h"
#include "scion/core/threads.h"
#include "scion/loss/alignment.h"
#include "scion/loss/distillation.h"
#include "scion/loss/transducer_loss.h"
#include "tests/core/error_of.h"
#include "tests/core/peak_memory.h"
#include "tests/loss/lattice_cases.h"

namespace scion {
namespace {

using scion::testing::Case;
using scion::testing::finite_differences;
using scion::testing::joiner_of;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::logits_of;
using scion::testing::make_case;
using scion::testing::peak_memory;
using ::testing::HasSubstr;

using TdtInputs = std::vector<at::Tensor>;

/// Sum over all alignments of the product of their arcs, one recursive call per arc. Tokens (T,
/// U+1, V) and durations (T, U+1, count): log-probabilities in float64.
struct AllTdtAlignments {
  at::TensorAccessor<double, 3> tokens, lengths;
  const int64_t* labels;
  int64_t blank;
  const TdtOptions& tdt;
  double delay_penalty = 0;

  double from(int64_t t, int64_t u) const {
    const int64_t T = tokens.size(0), U = tokens.size(1) - 1;
    double sum = 0;
    for (size_t i = 0; i < tdt.durations.size(); ++i) {
      const int64_t frames = tdt.durations[i], next = t + frames;
      if (next > T) continue;
      const double length = lengths[t][u][static_cast<int64_t>(i)] - tdt.sigma;
      const double by_blank = std::exp(tokens[t][u][blank] + length);
      if (next == T && u == U) sum += by_blank;
      if (next == T) continue;
      if (frames > 0) sum += by_blank * from(next, u);
      const double early = delay_penalty * (double(T - 1) / 2 - double(t));
      if (u < U) sum += std::exp(tokens[t][u][labels[u]] + length + early) * from(next, u + 1);
    }
    return sum;
  }
};

/// −log P (B) float64 from logits (B, T, U+1, V + durations).
at::Tensor brute_force_tdt(const at::Tensor& logits, const Case& c, const TdtOptions& tdt,
                           int64_t blank = 0, double delay_penalty = 0) {
  const auto count = static_cast<int64_t>(tdt.durations.size());
  std::vector<double> losses;
  for (int64_t b = 0; b < logits.size(0); ++b) {
    const int64_t T = c.frames[b].item<int64_t>(), U = c.labels[b].item<int64_t>();
    const at::Tensor own = logits[b].slice(0, 0, T).slice(1, 0, U + 1).to(at::kDouble);
    const at::Tensor tokens = own.slice(2, 0, -count).log_softmax(-1).contiguous();
    const at::Tensor lengths = own.slice(2, -count).log_softmax(-1).contiguous();
    const AllTdtAlignments all{tokens.accessor<double, 3>(),
                               lengths.accessor<double, 3>(),
                               c.tokens[b].const_data_ptr<int64_t>(),
                               blank,
                               tdt,
                               delay_penalty};
    losses.push_back(T == 0 ? INFINITY : -std::log(all.from(0, 0)));
  }
  return at::tensor(losses, at::kDouble);
}

/// One way to the loss.
struct TdtRoute {
  std::string name;
  /// Random inputs for this number of outputs.
  std::function<TdtInputs(const Case&, int64_t outputs)> inputs;
  std::function<at::Tensor(const TdtInputs&)> logits;
  std::function<at::Tensor(const TdtInputs&, const Case&, const TdtOptions&,
                           const TransducerLossOptions&)>
      losses;
};
std::ostream& operator<<(std::ostream& out, const TdtRoute& route) { return out << route.name; }

TdtInputs random_tdt_joiner(const Case& c, int64_t outputs) {
  const int64_t B = c.tokens.size(0), D = 5;
  return {at::randn({B, c.T, D}), at::randn({B, c.U + 1, D}), at::randn({outputs, D}),
          at::randn({outputs})};
}

std::vector<TdtRoute> tdt_routes() {
  return {
      {"logits",
       [](const Case& c, int64_t outputs) {
         return TdtInputs{at::randn({c.tokens.size(0), c.T, c.U + 1, outputs}) * 2};
       },
       [](const TdtInputs& in) { return in[0]; },
       [](const TdtInputs& in, const Case& c, const TdtOptions& tdt,
          const TransducerLossOptions& options) {
         return tdt_loss(in[0], labels_of(c), tdt, options);
       }},
      {"joiner", random_tdt_joiner, [](const TdtInputs& in) { return logits_of(joiner_of(in)); },
       [](const TdtInputs& in, const Case& c, const TdtOptions& tdt,
          const TransducerLossOptions& options) {
         return joiner_tdt_loss(joiner_of(in), labels_of(c), tdt, options);
       }}};
}

class TdtRoutes : public ::testing::TestWithParam<TdtRoute> {
 protected:
  void SetUp() override { at::manual_seed(23); }

  /// Losses and the gradients of Σ weights · loss.
  static std::pair<at::Tensor, TdtInputs> run(const TdtInputs& inputs, const Case& c,
                                              const TdtOptions& tdt, const at::Tensor& weights,
                                              const TransducerLossOptions& options = {}) {
    TdtInputs leaves;
    for (const at::Tensor& input : inputs) leaves.push_back(input.clone().requires_grad_());
    const at::Tensor losses = GetParam().losses(leaves, c, tdt, options);
    losses.backward(weights);
    TdtInputs gradients;
    for (const at::Tensor& leaf : leaves) gradients.push_back(leaf.grad());
    return {losses.detach(), gradients};
  }
};
INSTANTIATE_TEST_SUITE_P(All, TdtRoutes, ::testing::ValuesIn(tdt_routes()),
                         [](const auto& info) { return info.param.name; });

const std::vector<TdtOptions>& many_tdt_options() {
  static const std::vector<TdtOptions> options = {
      {{0, 1, 2, 3, 4}}, {{0, 1}, 0.05}, {{1}},       {{1, 2}, -0.5}, {{0, 2}},
      {{4, 0, 1}, 0.3},  {{2, 1, 0}},    {{0, 3, 1}}, {{7, 100, 1}},  {{0, 1, 3, 8}}};
  return options;
}

TEST_P(TdtRoutes, IsTheSumOverAllAlignments) {
  const Case c = make_case({5, 1, 4, 1, 2, 0, 7, 3}, {2, 2, 0, 0, 3, 2, 3, 1}, 5);
  int64_t possible = 0;
  for (const TdtOptions& tdt : many_tdt_options()) {
    const TdtInputs inputs = GetParam().inputs(c, c.V + static_cast<int64_t>(tdt.durations.size()));
    const at::Tensor losses = GetParam().losses(inputs, c, tdt, {});
    const at::Tensor expected = brute_force_tdt(GetParam().logits(inputs), c, tdt);
    const auto place = fmt::format("{}", fmt::join(tdt.durations, ","));
    EXPECT_TRUE(at::equal(losses.isposinf(), expected.isposinf())) << place;
    const at::Tensor finite = expected.isfinite();
    possible += finite.sum().item<int64_t>();
    EXPECT_LT(largest_difference(losses.masked_select(finite) / expected.masked_select(finite),
                                 at::ones({1})),
              2e-6)
        << place;
  }
  EXPECT_GT(possible, 40);
}

TEST_P(TdtRoutes, GradientIsThatOfTheSumOverAllAlignments) {
  const Case c = make_case({4, 1, 3, 0}, {2, 0, 2, 1}, 4);
  const at::Tensor weights = at::tensor({0.5, -2.0, 1.5, 1.0}, at::kFloat);
  for (const TdtOptions& tdt : many_tdt_options()) {
    const TdtInputs inputs = GetParam().inputs(c, c.V + static_cast<int64_t>(tdt.durations.size()));
    const TdtInputs found = run(inputs, c, tdt, weights).second;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto loss = [&](const at::Tensor& x) {
        TdtInputs changed;
        for (const at::Tensor& input : inputs) changed.push_back(input.to(at::kDouble));
        changed[i] = x;
        const at::Tensor losses = brute_force_tdt(GetParam().logits(changed), c, tdt);
        return (losses.masked_fill(losses.isinf(), 0) * weights).sum().item<double>();
      };
      EXPECT_LT(largest_difference(found[i], finite_differences(loss, inputs[i])), 5e-6)
          << fmt::format("{}", fmt::join(tdt.durations, ",")) << " input " << i;
    }
  }
}

TEST_P(TdtRoutes, ADelayPenaltyCountsTheFramesOfLabels) {
  const Case c = make_case({6, 4, 2}, {2, 3, 0}, 5);
  const TdtOptions tdt{{0, 1, 2}, 0.1};
  const TdtInputs inputs = GetParam().inputs(c, 8);
  const at::Tensor losses = GetParam().losses(inputs, c, tdt, {.delay_penalty = 0.3});
  EXPECT_LT(largest_difference(losses, brute_force_tdt(GetParam().logits(inputs), c, tdt, 0, 0.3)),
            1e-5);
}

TEST_P(TdtRoutes, TakesAnyBlank) {
  Case c = make_case({4, 3}, {2, 3}, 6);
  c.tokens = at::randint(0, 5, {2, c.U}, at::kLong);
  const TdtOptions tdt{{0, 1, 2}};
  const TdtInputs inputs = GetParam().inputs(c, 9);
  const at::Tensor losses = GetParam().losses(inputs, c, tdt, {.blank = 5});
  EXPECT_LT(largest_difference(losses, brute_force_tdt(GetParam().logits(inputs), c, tdt, 5)),
            1e-5);
}

TEST_P(TdtRoutes, AnImpossibleUtteranceHasNoGradientAndNoInfluence) {
  const Case c = make_case({6, 5, 0, 4}, {2, 1, 1, 1}, 5);
  const TdtOptions tdt{{0, 2}};  // no sum of them is 5
  const TdtInputs inputs = GetParam().inputs(c, 7);
  const auto [losses, gradients] = run(inputs, c, tdt, at::ones({4}));
  const TdtInputs without = run(inputs, c, tdt, at::tensor({1, 0, 0, 1}, at::kFloat)).second;
  for (const int64_t b : {1, 2}) EXPECT_EQ(losses[b].item<float>(), INFINITY) << b;
  for (size_t i = 0; i < inputs.size(); ++i) EXPECT_TRUE(at::equal(gradients[i], without[i])) << i;
  EXPECT_EQ(gradients[0].slice(0, 1, 3).abs().max().item<float>(), 0);
}

TEST_P(TdtRoutes, BrokenNumbersTouchTheirUtteranceOnly) {
  const Case c = make_case({4, 4, 4}, {2, 2, 2}, 5);
  const TdtOptions tdt{{0, 1, 2}};
  const TdtInputs inputs = GetParam().inputs(c, 8);
  const TdtInputs without = run(inputs, c, tdt, at::tensor({1, 0, 1}, at::kFloat)).second;
  TdtInputs broken = inputs;
  broken[0] = inputs[0].clone();
  // A duration's logit at node (1, 1), or a row of its inputs.
  const at::Tensor row = broken[0].dim() == 4 ? broken[0][1][1][1] : broken[0][1][1];
  row[-1] = NAN;
  const auto [losses, gradients] = run(broken, c, tdt, at::ones({3}));
  EXPECT_TRUE(std::isnan(losses[1].item<float>()));
  for (size_t i = 0; i < inputs.size(); ++i) EXPECT_TRUE(at::equal(gradients[i], without[i])) << i;
}

TEST_P(TdtRoutes, PaddingHasNoInfluenceAndNoGradient) {
  const Case c = make_case({4, 2}, {1, 3}, 7);
  const TdtOptions tdt{{0, 1, 2}};
  const TdtInputs clean = GetParam().inputs(c, 10);
  TdtInputs dirty = clean;
  dirty[0] = clean[0].clone();
  for (int64_t b = 0; b < 2; ++b) {
    dirty[0][b].slice(0, c.frames[b].item<int64_t>()).fill_(NAN);
    if (dirty.size() == 1) dirty[0][b].slice(1, c.labels[b].item<int64_t>() + 1).fill_(NAN);
  }
  const auto [expected_losses, expected] = run(clean, c, tdt, at::ones({2}));
  const auto [losses, gradients] = run(dirty, c, tdt, at::ones({2}));
  EXPECT_TRUE(at::equal(losses, expected_losses));
  for (size_t i = 0; i < clean.size(); ++i) EXPECT_TRUE(at::equal(gradients[i], expected[i])) << i;
}

TEST_P(TdtRoutes, ThreadsDoNotChangeTheResult) {
  const Case c = make_case({30, 22, 9}, {8, 12, 1}, 20);
  const TdtOptions tdt{{0, 1, 2, 3, 4}, 0.05};
  const TdtInputs inputs = GetParam().inputs(c, 25);
  const int before = thread_count();
  set_thread_count(1);
  const auto [losses, gradients] = run(inputs, c, tdt, at::ones({3}));
  set_thread_count(3);
  const auto [other_losses, others] = run(inputs, c, tdt, at::ones({3}));
  set_thread_count(before);
  EXPECT_TRUE(at::equal(losses, other_losses));
  for (size_t i = 0; i < inputs.size(); ++i) EXPECT_TRUE(at::equal(gradients[i], others[i])) << i;
}

TEST_P(TdtRoutes, WrongOptionsAreErrors) {
  const Case c = make_case({3}, {1}, 4);
  const TdtInputs inputs = GetParam().inputs(c, 6);
  const auto error = [&](const TdtOptions& tdt, const TransducerLossOptions& options = {}) {
    return error_of<UserError>([&] { GetParam().losses(inputs, c, tdt, options); });
  };
  EXPECT_THAT(error({}), HasSubstr("of the durations [] none is above 0"));
  EXPECT_THAT(error({{0}}), HasSubstr("of the durations [0] none is above 0"));
  EXPECT_THAT(error({{1, -2}}), HasSubstr("the durations [1, -2] hold -2"));
  EXPECT_THAT(error({{1, int64_t{1} << 62}}), HasSubstr("a duration has at most 10000 frames"));
  EXPECT_THAT(error({{1, 2, 1}}), HasSubstr("the durations [1, 2, 1] hold 1 twice"));
  EXPECT_THAT(error({{0, 1}, NAN}), HasSubstr("sigma nan"));
  EXPECT_THAT(error({{0, 1, 2, 3, 4, 5}}), HasSubstr("6 logits hold no token"));
  EXPECT_THAT(error({{0, 1}}, {.topology = Topology::modified}), HasSubstr("topology"));
}

class TdtLoss : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(29); }
};

const SafeTensors& nemo_tdt_losses() {
  static const SafeTensors tensors =
      read_safetensors(SCION_SOURCE_DIR "/tests/golden/tdt_loss/nemo.safetensors");
  return tensors;
}

struct GoldenTdt {
  at::Tensor logits, durations;
  Case c;
};
GoldenTdt golden_tdt(const std::string& name) {
  const auto at = [&](const char* key) { return nemo_tdt_losses().at(name + "." + key); };
  GoldenTdt golden{at("logits"), at("durations"), {}};
  golden.c.tokens = at("targets");
  golden.c.frames = at("logit_lens");
  golden.c.labels = at("target_lens");
  return golden;
}

void expect_golden(const GoldenTdt& golden, const std::string& expected, const TdtOptions& tdt,
                   double fast_emit, double loss_scale = 1) {
  const at::Tensor logits = golden.logits.clone().requires_grad_();
  const int64_t blank = logits.size(3) - golden.durations.size(0) - 1;
  const at::Tensor losses =
      tdt_loss(logits, labels_of(golden.c), tdt, {.blank = blank, .fast_emit = fast_emit});
  losses.backward(at::ones_like(losses));
  const at::Tensor values = nemo_tdt_losses().at(expected + ".loss") / loss_scale;
  EXPECT_TRUE(at::equal(losses.isposinf(), values.isposinf())) << expected;
  const at::Tensor possible = values.isfinite();
  EXPECT_LT(largest_difference(losses.masked_select(possible) / values.masked_select(possible),
                               at::ones({1})),
            1e-5)
      << expected;
  EXPECT_LT(largest_difference(logits.grad(), nemo_tdt_losses().at(expected + ".gradient")), 2e-5)
      << expected;
}

TEST_F(TdtLoss, EqualsNemo) {
  for (const auto& [name, sigmas] :
       std::map<std::string, std::vector<std::string>>{{"tiny", {"0", "0.05"}},
                                                       {"basic", {"0.05"}},
                                                       {"d0138", {"0.05"}},
                                                       {"d12_nozero", {"0", "0.02"}},
                                                       {"d02_noone", {"0", "0.02"}},
                                                       {"sharp", {"0", "0.05"}}}) {
    const GoldenTdt golden = golden_tdt(name);
    const auto* const durations = golden.durations.const_data_ptr<int64_t>();
    for (const std::string& sigma : sigmas)
      expect_golden(golden, fmt::format("{}.sigma{}", name, sigma),
                    {{durations, durations + golden.durations.size(0)}, std::stod(sigma)}, 0);
  }
}

// NeMo's reported loss is 1 + λ times the loss.
TEST_F(TdtLoss, FastEmitHasNemosGradient) {
  const GoldenTdt golden = golden_tdt("tiny");
  const std::vector<int64_t> durations = {0, 1, 2, 3, 4};
  expect_golden(golden, "fast_emit.sigma0_fastemit0.01_clamp0", {durations}, 0.01, 1.01);
  expect_golden(golden, "fast_emit.sigma0.05_fastemit0.3_clamp0", {durations, 0.05}, 0.3, 1.3);
}

// What a batch gets with probability omega.
TEST_F(TdtLoss, WithoutDurationsIsTheRnntLossOfTheTokens) {
  const Case c = make_case({6, 4}, {2, 3}, 9);
  const TdtOptions tdt{{0, 1, 2}, 0.1};
  TdtInputs leaves = random_tdt_joiner(c, 12);
  for (at::Tensor& leaf : leaves) leaf.requires_grad_();
  const at::Tensor losses =
      joiner_transducer_loss(without_durations(joiner_of(leaves), tdt), labels_of(c));
  losses.sum().backward();
  const at::Tensor logits = logits_of(joiner_of(leaves)).detach().slice(3, 0, 9);
  EXPECT_LT(largest_difference(losses, transducer_loss(logits, labels_of(c))), 1e-5);
  EXPECT_EQ(leaves[2].grad().slice(0, 9).abs().max().item<float>(), 0);
  EXPECT_GT(leaves[2].grad().slice(0, 0, 9).abs().max().item<float>(), 0);
}

// If label arcs never move on and blanks always by one frame, a TDT is an RNN-T: the duration
// logits decide by the token, so blank's state is one of its own.
TEST_F(TdtLoss, WithDurationOneAloneIsTheModifiedTopologyAndABlank) {
  const Case c = make_case({7, 5, 3}, {3, 4, 3}, 6);
  const at::Tensor logits = at::randn({3, c.T, c.U + 1, 6});
  const at::Tensor padded = at::constant_pad_nd(logits, {0, 1});
  const at::Tensor tdt = tdt_loss(padded, labels_of(c), {{1}});
  // The last frame must be left by a blank: of the modified topology's alignments those in which
  // the last frame has no label.
  const at::Tensor forbidden = logits.log_softmax(-1);
  for (int64_t b = 0; b < 3; ++b) {
    const int64_t last = c.frames[b].item<int64_t>() - 1;
    for (int64_t u = 0; u < c.labels[b].item<int64_t>(); ++u)
      forbidden[b][last][u][c.tokens[b][u].item<int64_t>()] = -INFINITY;
  }
  const at::Tensor modified =
      transducer_loss_from_log_probs(forbidden, labels_of(c), {.topology = Topology::modified});
  EXPECT_TRUE(at::equal(tdt.isposinf(), modified.isposinf()));
  EXPECT_EQ(tdt[2].item<float>(), INFINITY);
  EXPECT_LT(largest_difference(tdt.slice(0, 0, 2), modified.slice(0, 0, 2)), 1e-5);
}

TEST_F(TdtLoss, TheJoinersOrderOfDurationsIsFree) {
  const Case c = make_case({9, 6}, {3, 2}, 8);
  const JoinerInputs joiner = joiner_of(random_tdt_joiner(c, 11));
  const at::Tensor order = at::cat({at::arange(8), at::tensor({10, 8, 9}, at::kLong)});
  const JoinerInputs turned{joiner.encoder, joiner.predictor, joiner.weight.index_select(0, order),
                            joiner.bias.index_select(0, order)};
  EXPECT_LT(largest_difference(joiner_tdt_loss(joiner, labels_of(c), {{0, 1, 4}}),
                               joiner_tdt_loss(turned, labels_of(c), {{4, 0, 1}})),
            1e-5);
}

// Vector tails, several vectors of labels and long durations; in bfloat16, where the processor has
// it, and with nodes kept and computed twice.
TEST_F(TdtLoss, FusedEqualsLogits) {
  const TdtOptions tdt{{0, 1, 2, 3, 4, 30}, 0.05};
  for (const auto& [T, U, V] : std::vector<std::array<int64_t, 3>>{
           {1, 1, 2}, {33, 9, 15}, {20, 20, 16}, {50, 33, 28}, {7, 3, 131}, {40, 5, 300}}) {
    const Case c = make_case({T, (T + 1) / 2}, {U, U / 2}, V);
    const int64_t outputs = V + 6;
    const std::vector<at::Tensor> inputs = {at::randn({2, c.T, 24}), at::randn({2, c.U + 1, 24}),
                                            at::randn({outputs, 24}) / 5, at::randn({outputs})};
    const auto run = [&](const std::function<at::Tensor(const JoinerInputs&)>& losses) {
      std::vector<at::Tensor> leaves;
      for (const at::Tensor& input : inputs) leaves.push_back(input.clone().requires_grad_());
      const at::Tensor loss = losses(joiner_of(leaves));
      loss.backward(at::tensor({1.0, -0.5}, at::kFloat));
      std::vector<at::Tensor> results = {loss.detach()};
      for (const at::Tensor& leaf : leaves) results.push_back(leaf.grad());
      return results;
    };
    const auto expected = run(
        [&](const JoinerInputs& joiner) { return tdt_loss(logits_of(joiner), labels_of(c), tdt); });
    for (const bool bf16 : {false, true})
      for (const int64_t workspace : {0, 1 << 26}) {
        const auto found = run([&](const JoinerInputs& joiner) {
          return joiner_tdt_loss(joiner, labels_of(c), tdt,
                                 {.bf16 = bf16, .workspace_bytes = workspace});
        });
        for (size_t i = 0; i < found.size(); ++i) {
          const double size = std::max(1e-3, expected[i].norm().item<double>());
          const double difference = (found[i] - expected[i]).norm().item<double>() / size;
          EXPECT_LT(difference, bf16 ? 2e-2 : 1e-5) << T << " " << V << " " << bf16 << " " << i;
        }
      }
  }
}

TEST_F(TdtLoss, LongUtterancesStayPrecise) {
  const Case c = make_case({5000}, {300}, 4);
  const TdtOptions tdt{{0, 1, 2, 3, 4}};
  const at::Tensor logits = at::randn({1, c.T, c.U + 1, 9}) * 3;
  const at::Tensor leaf = logits.clone().requires_grad_();
  tdt_loss(leaf, labels_of(c), tdt).sum().backward();
  EXPECT_LT(leaf.grad().sum(-1).abs().max().item<float>(), 2e-5);
  const at::Tensor direction = at::randn_like(logits);
  const double above = tdt_loss(logits + 1e-2 * direction, labels_of(c), tdt).item<double>();
  const double below = tdt_loss(logits - 1e-2 * direction, labels_of(c), tdt).item<double>();
  const double slope = (leaf.grad() * direction).sum().item<double>();
  EXPECT_NEAR((above - below) / 2e-2, slope, 0.02 * std::abs(slope) + 1);
}

// The loss of logits and the divergence by its definition, both in single operations.
TEST_F(TdtLoss, DistilledIsTheLossAndTheDivergenceOfTokens) {
  const Case c = make_case({9, 6, 4}, {3, 2, 0}, 8);
  const TdtOptions tdt{{0, 1, 2}, 0.1};
  const JoinerInputs teacher = joiner_of(random_tdt_joiner(c, 11));
  for (const NodeWeighting weighting : {NodeWeighting::all, NodeWeighting::occupied}) {
    const NodeTargets targets = node_targets(teacher, labels_of(c), weighting, {}, tdt);
    TdtInputs one = random_tdt_joiner(c, 11), two;
    for (at::Tensor& leaf : one) {
      two.push_back(leaf.clone().requires_grad_());
      leaf.requires_grad_();
    }
    const DistilledLoss fused =
        distilled_joiner_tdt_loss(joiner_of(one), labels_of(c), targets, tdt);
    const at::Tensor logits = logits_of(joiner_of(two));
    const at::Tensor loss = tdt_loss(logits, labels_of(c), tdt);
    const at::Tensor divergence = node_divergence(logits.slice(3, 0, 8), labels_of(c), targets, 0);
    EXPECT_LT(largest_difference(fused.transducer, loss), 1e-4);
    EXPECT_LT(largest_difference(fused.divergence, divergence), 1e-4);
    const at::Tensor weights = at::tensor({1.0, -0.5, 2.0}, at::kFloat);
    ((fused.transducer + 0.3 * fused.divergence) * weights).sum().backward();
    ((loss + 0.3 * divergence) * weights).sum().backward();
    for (size_t i = 0; i < one.size(); ++i)
      EXPECT_LT(largest_difference(one[i].grad(), two[i].grad()), 1e-4) << i;
  }
}

// The posterior of a node: of all alignments the share that passes through it.
TEST_F(TdtLoss, ATdtTeachersOccupationIsThatOfItsOwnLattice) {
  Case c = make_case({5, 4}, {2, 1}, 6);
  c.tokens = c.tokens.clamp_max(4);
  const TdtOptions tdt{{0, 1, 3}};
  const JoinerInputs teacher = joiner_of(random_tdt_joiner(c, 9));
  const at::Tensor weights =
      node_targets(teacher, labels_of(c), NodeWeighting::occupied, {}, tdt).weights;
  const at::Tensor logits = logits_of(teacher).to(at::kDouble);
  const at::Tensor whole = (-brute_force_tdt(logits, c, tdt)).exp();
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t t = 0; t < c.frames[b].item<int64_t>(); ++t)
      for (int64_t u = 0; u <= c.labels[b].item<int64_t>(); ++u) {
        // Class 5 is neither blank nor a label: a node with it alone is a dead end.
        const at::Tensor without = logits.clone();
        without[b][t][u].slice(0, 0, 5).fill_(-1e4);
        const double around = (-brute_force_tdt(without, c, tdt))[b].exp().item<double>();
        EXPECT_NEAR(weights[b][t][u].item<double>(), 1 - around / whole[b].item<double>(), 1e-4)
            << b << " " << t << " " << u;
      }
}

/// Log-probability of the best alignment from (t, u) on, by trying all.
struct BestTdtAlignment {
  at::TensorAccessor<double, 3> tokens, lengths;
  const int64_t* labels;
  const std::vector<int64_t>& durations;

  double from(int64_t t, int64_t u) const {
    const int64_t T = tokens.size(0), U = tokens.size(1) - 1;
    double best = -INFINITY;
    for (size_t i = 0; i < durations.size(); ++i) {
      const int64_t next = t + durations[i];
      if (next > T) continue;
      const double length = lengths[t][u][static_cast<int64_t>(i)];
      const double by_blank = tokens[t][u][0] + length;
      if (next == T && u == U) best = std::max(best, by_blank);
      if (next == T) continue;
      if (next > t) best = std::max(best, by_blank + from(next, u));
      if (u < U) best = std::max(best, tokens[t][u][labels[u]] + length + from(next, u + 1));
    }
    return best;
  }
};

TEST_F(TdtLoss, TheBestAlignmentIsTheMostProbableOfAll) {
  const std::vector<std::pair<std::vector<int64_t>, double>> cases = {
      {{0, 1, 2, 3, 4}, 0}, {{2, 1}, 0}, {{0, 2}, 0}, {{0, 1, 2, 3, 4}, 0.3}};
  for (const auto& [durations, delay_penalty] : cases) {
    const Case c = make_case({6, 4, 1, 0, 5}, {2, 3, 0, 1, 0}, 5);
    const auto count = static_cast<int64_t>(durations.size());
    const JoinerInputs joiner = joiner_of(random_tdt_joiner(c, 5 + count));
    const auto found =
        best_alignments(joiner, labels_of(c), {.delay_penalty = delay_penalty}, {durations});
    const at::Tensor logits = logits_of(joiner).to(at::kDouble);
    for (int64_t b = 0; b < 5; ++b) {
      const int64_t T = c.frames[b].item<int64_t>(), U = c.labels[b].item<int64_t>();
      const at::Tensor own = logits[b].slice(0, 0, T).slice(1, 0, U + 1);
      const at::Tensor tokens = own.slice(2, 0, 5).log_softmax(-1).contiguous();
      const at::Tensor lengths = own.slice(2, 5).log_softmax(-1).contiguous();
      const at::Tensor early = delay_penalty * (double(T - 1) / 2 - at::arange(T, at::kDouble));
      at::Tensor penalised = tokens.clone();
      penalised.slice(2, 1) += early.view({T, 1, 1});
      const BestTdtAlignment all{penalised.accessor<double, 3>(), lengths.accessor<double, 3>(),
                                 c.tokens[b].const_data_ptr<int64_t>(), durations};
      const double best = T == 0 ? -INFINITY : all.from(0, 0);
      const ForcedAlignment& own_best = found[static_cast<size_t>(b)];
      if (!std::isfinite(best)) {
        EXPECT_EQ(own_best.log_probability, best) << b;
        EXPECT_TRUE(own_best.frames.empty()) << b;
        continue;
      }
      EXPECT_NEAR(own_best.log_probability, best, 1e-4) << b;
      ASSERT_EQ(own_best.frames.size(), static_cast<size_t>(U)) << b;
      for (int64_t u = 0; u < U; ++u) {
        const auto place = static_cast<size_t>(u);
        const int64_t t = own_best.frames[place];
        EXPECT_NEAR(own_best.probabilities[place],
                    std::exp(tokens[t][u][c.tokens[b][u].item<int64_t>()].item<double>()), 1e-4);
        if (u + 1 < U) {
          EXPECT_GE(own_best.frames[place + 1], t + own_best.durations[place]) << b << " " << u;
        }
      }
    }
  }
}

TEST_F(TdtLoss, HoldsAWorkspaceOfLogitsAndNoMore) {
  constexpr int64_t kMegabyte = 1 << 20;
  const Case c = make_case({249, 249, 29}, {99, 99, 99}, 512);  // 49, 49 and 6 MB of logits
  for (const int64_t workspace : {0, 10, 60}) {
    std::vector<at::Tensor> leaves = {at::randn({3, c.T, 8}), at::randn({3, c.U + 1, 8}),
                                      at::randn({517, 8}), at::randn({517})};
    for (at::Tensor& leaf : leaves) leaf.requires_grad_();
    const int64_t before = peak_memory(true);
    if (before == 0) GTEST_SKIP() << "the system does not report peak memory";
    joiner_tdt_loss(joiner_of(leaves), labels_of(c), {{0, 1, 2, 3, 4}},
                    {.workspace_bytes = workspace * kMegabyte})
        .sum()
        .backward();
    EXPECT_LT(peak_memory(false) - before, (workspace + 28) * kMegabyte);
  }
}

}  // namespace
}  // namespace scion
