// The promises of transducer_loss.h, tested alike for every route to the transducer loss.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/threads.h"
#include "scion/loss/device/dispatch.h"
#include "scion/loss/lattice/checks.h"
#include "scion/loss/pruned_loss.h"
#include "scion/loss/transducer_loss.h"
#include "tests/loss/device/host_device.h"
#include "tests/loss/lattice_cases.h"

namespace scion::routes {
namespace {

using scion::testing::brute_force_transducer;
using scion::testing::Case;
using scion::testing::finite_differences;
using scion::testing::host_device;
using scion::testing::joiner_of;
using scion::testing::kTopologies;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::make_case;
using ::testing::HasSubstr;

using Tensors = std::vector<at::Tensor>;

/// All states of every frame: (B, T, U+1).
at::Tensor all_states(const Case& c) {
  return at::arange(c.U + 1).expand({c.tokens.size(0), c.T, c.U + 1});
}

/// One way to the loss.
struct Route {
  std::string name;
  /// Random inputs, those of single utterances first, and the number of these.
  std::function<Tensors(const Case&)> inputs;
  size_t of_utterances;
  /// (B, T, U+1, V), by definition
  std::function<at::Tensor(const Tensors&)> logits;
  std::function<at::Tensor(const Tensors&, const Case&, const TransducerLossOptions&)> losses;
};

std::ostream& operator<<(std::ostream& out, const Route& route) { return out << route.name; }

at::Tensor route_logits(const Case& c) {
  return at::randn({c.tokens.size(0), c.T, c.U + 1, c.V}) * 2;
}

Tensors random_joiner(const Case& c) {
  const int64_t B = c.tokens.size(0), D = 5;
  return {at::randn({B, c.T, D}), at::randn({B, c.U + 1, D}), at::randn({c.V, D}),
          at::randn({c.V})};
}

at::Tensor joiner_logits(const Tensors& in) {
  return at::linear(at::tanh(in[0].unsqueeze(2) + in[1].unsqueeze(1)), in[2], in[3]);
}

Tensors random_simple(const Case& c) {
  const int64_t B = c.tokens.size(0);
  return {at::randn({B, c.T, c.V}), at::randn({B, c.U + 1, c.V})};
}

at::Tensor simple_logits(const Tensors& in) { return in[0].unsqueeze(2) + in[1].unsqueeze(1); }

SimpleLossOptions simple_options(const TransducerLossOptions& options) {
  return {
      .topology = options.topology, .blank = options.blank, .delay_penalty = options.delay_penalty};
}

LatticeBatch lattices(const Case& c, const TransducerLossOptions& options) {
  return check_lattice_batch(c.tokens.size(0), c.T, c.V, labels_of(c), rules_of(options));
}

constexpr JoinerSettings kSettings{.workspace_bytes = 1 << 20};

std::vector<Route> all_routes() {
  const auto first = [](const Tensors& in) { return in[0]; };
  return {
      {"logits", [](const Case& c) { return Tensors{route_logits(c)}; }, 1, first,
       [](const Tensors& in, const Case& c, const TransducerLossOptions& options) {
         return transducer_loss(in[0], labels_of(c), options);
       }},
      {"log_probs", [](const Case& c) { return Tensors{route_logits(c).log_softmax(-1)}; }, 1,
       first,
       [](const Tensors& in, const Case& c, const TransducerLossOptions& options) {
         return transducer_loss_from_log_probs(in[0], labels_of(c), options);
       }},
      {"joiner", random_joiner, 2, joiner_logits,
       [](const Tensors& in, const Case& c, const TransducerLossOptions& options) {
         return joiner_transducer_loss(joiner_of(in), labels_of(c), options);
       }},
      {"joiner_band", random_joiner, 2, joiner_logits,
       [](const Tensors& in, const Case& c, const TransducerLossOptions& options) {
         return pruned_joiner_loss(joiner_of(in), all_states(c), labels_of(c), options);
       }},
      {"band_of_logits", [](const Case& c) { return Tensors{route_logits(c)}; }, 1, first,
       [](const Tensors& in, const Case& c, const TransducerLossOptions& options) {
         return pruned_transducer_loss(in[0], all_states(c), labels_of(c), simple_options(options));
       }},
      {"simple", random_simple, 2, simple_logits,
       [](const Tensors& in, const Case& c, const TransducerLossOptions& options) {
         return simple_transducer_loss(in[0], in[1], labels_of(c), simple_options(options)).losses;
       }},
      {"simple_float64", random_simple, 2, simple_logits,
       [](const Tensors& in, const Case& c, const TransducerLossOptions& options) {
         return simple_transducer_loss(in[0].to(at::kDouble), in[1].to(at::kDouble), labels_of(c),
                                       simple_options(options))
             .losses;
       }},
      {"device_logits", [](const Case& c) { return Tensors{route_logits(c)}; }, 1, first,
       [](const Tensors& in, const Case& c, const TransducerLossOptions& options) {
         return device_transducer_loss(host_device(), in[0], lattices(c, options));
       }},
      {"device_joiner", random_joiner, 2, joiner_logits,
       [](const Tensors& in, const Case& c, const TransducerLossOptions& options) {
         return device_joiner_loss(host_device(), joiner_of(in), lattices(c, options), kSettings);
       }},
      {"device_joiner_band", random_joiner, 2, joiner_logits,
       [](const Tensors& in, const Case& c, const TransducerLossOptions& options) {
         return device_pruned_joiner_loss(host_device(), joiner_of(in), all_states(c),
                                          lattices(c, options), kSettings);
       }},
  };
}

struct Result {
  at::Tensor losses;
  Tensors gradients;
};

class Routes : public ::testing::TestWithParam<Route> {
 protected:
  void SetUp() override { at::manual_seed(17); }

  static Result run(const Tensors& inputs, const Case& c, const at::Tensor& weights,
                    const TransducerLossOptions& options = {}) {
    Tensors leaves;
    for (const at::Tensor& input : inputs) leaves.push_back(input.clone().requires_grad_());
    const at::Tensor losses = GetParam().losses(leaves, c, options);
    losses.backward(weights.to(losses.scalar_type()));
    Result result{losses.detach(), {}};
    for (const at::Tensor& leaf : leaves) result.gradients.push_back(leaf.grad());
    return result;
  }

  static at::Tensor zeros_but_for(int64_t size, int64_t b) {
    at::Tensor weights = at::ones({size});
    weights[b] = 0;
    return weights;
  }

  /// Expects that nothing but utterance b's loss differs from the result without it.
  static void expect_alone(const Result& broken, const Result& without, int64_t b) {
    for (int64_t other = 0; other < without.losses.size(0); ++other) {
      if (other != b) {
        EXPECT_TRUE(at::equal(broken.losses[other], without.losses[other])) << other;
      }
    }
    for (size_t i = 0; i < broken.gradients.size(); ++i) {
      EXPECT_TRUE(broken.gradients[i].isfinite().all().item<bool>()) << "input " << i;
      EXPECT_TRUE(at::equal(broken.gradients[i], without.gradients[i])) << "input " << i;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(All, Routes, ::testing::ValuesIn(all_routes()),
                         [](const auto& info) { return info.param.name; });

// U = 0, T = 1, more labels than frames, no frame at all, in each topology.
TEST_P(Routes, IsTheSumOverAllAlignments) {
  const Case c = make_case({4, 1, 3, 1, 2, 0, 0}, {2, 2, 0, 1, 3, 2, 0}, 5);
  const Tensors inputs = GetParam().inputs(c);
  for (const Topology topology : kTopologies) {
    const at::Tensor losses = GetParam().losses(inputs, c, {.topology = topology});
    const at::Tensor expected = brute_force_transducer(GetParam().logits(inputs), c, 0, topology);
    EXPECT_TRUE(at::equal(losses.isposinf(), expected.isposinf())) << int(topology);
    const at::Tensor possible = expected.isfinite();
    EXPECT_EQ(possible.sum().item<int64_t>(), topology == Topology::regular ? 5 : 3);
    EXPECT_LT(largest_difference(losses.masked_select(possible), expected.masked_select(possible)),
              3e-6)
        << int(topology);
  }
}

TEST_P(Routes, GradientIsThatOfTheSumOverAllAlignments) {
  const Case c = make_case({3, 1, 2, 0}, {2, 1, 3, 1}, 4);
  const at::Tensor weights = at::tensor({0.5, -2.0, 1.5, 1.0}, at::kFloat);
  const Tensors inputs = GetParam().inputs(c);
  for (const Topology topology : kTopologies) {
    const Result found = run(inputs, c, weights, {.topology = topology});
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto loss = [&](const at::Tensor& x) {
        Tensors changed;
        for (const at::Tensor& input : inputs) changed.push_back(input.to(at::kDouble));
        changed[i] = x;
        const at::Tensor losses =
            brute_force_transducer(GetParam().logits(changed), c, 0, topology);
        return (losses.masked_fill(losses.isinf(), 0) * weights).sum().item<double>();
      };
      // Log-probabilities are used as given: only directions that keep them normalised are
      // comparable.
      at::Tensor expected = finite_differences(loss, inputs[i]), gradient = found.gradients[i];
      if (GetParam().name == "log_probs")
        gradient = gradient - inputs[i].exp() * gradient.sum(-1, true);
      EXPECT_LT(largest_difference(gradient, expected), 3e-6) << "input " << i;
    }
  }
}

TEST_P(Routes, TakesAnyBlank) {
  Case c = make_case({4, 3}, {2, 3}, 6);
  for (const int64_t blank : {5, 2}) {
    c.tokens = at::randint(0, 5, {2, c.U}, at::kLong);
    c.tokens += c.tokens.ge(blank).to(at::kLong);
    const Tensors inputs = GetParam().inputs(c);
    const at::Tensor losses = GetParam().losses(inputs, c, {.blank = blank});
    EXPECT_LT(
        largest_difference(losses, brute_force_transducer(GetParam().logits(inputs), c, blank)),
        3e-6);
  }
}

TEST_P(Routes, AnImpossibleUtteranceHasNoGradientAndNoInfluence) {
  const Case c = make_case({3, 0, 2, 4}, {2, 1, 3, 2}, 5);
  const Tensors inputs = GetParam().inputs(c);
  const Result all = run(inputs, c, at::ones({4}), {.topology = Topology::modified});
  const Result possible =
      run(inputs, c, at::tensor({1, 0, 0, 1}, at::kFloat), {.topology = Topology::modified});
  for (const int64_t b : {1, 2}) EXPECT_EQ(all.losses[b].item<float>(), INFINITY) << b;
  for (const int64_t b : {0, 3}) EXPECT_TRUE(std::isfinite(all.losses[b].item<float>())) << b;
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_TRUE(at::equal(all.gradients[i], possible.gradients[i])) << i;
    if (i >= GetParam().of_utterances) continue;
    EXPECT_EQ(all.gradients[i].slice(0, 1, 3).abs().max().item<float>(), 0) << i;
  }
}

TEST_P(Routes, BrokenNumbersTouchTheirUtteranceOnly) {
  const Case c = make_case({4, 4, 4}, {2, 2, 2}, 5);
  const Tensors inputs = GetParam().inputs(c);
  const Result without = run(inputs, c, zeros_but_for(3, 1));
  for (size_t i = 0; i < GetParam().of_utterances; ++i) {
    Tensors broken = inputs;
    broken[i] = inputs[i].clone();
    // Node (1, 1), or a row of its inputs; the blank, which the route from log-probabilities reads.
    const at::Tensor row = broken[i].dim() == 4 ? broken[i][1][1][1] : broken[i][1][1];
    row[0] = NAN;
    const Result found = run(broken, c, at::ones({3}));
    EXPECT_TRUE(std::isnan(found.losses[1].item<float>())) << i;
    expect_alone(found, without, 1);
  }
}

// No alignment goes through the last frame's first node when two labels are still to come.
TEST_P(Routes, BrokenNumbersInADeadEndAreNoticed) {
  const Case c = make_case({4, 4, 4}, {2, 2, 2}, 5);
  const Tensors inputs = GetParam().inputs(c);
  if (inputs.size() > 1) GTEST_SKIP() << "a joiner's rows belong to other nodes, too";
  for (const Topology topology : {Topology::modified, Topology::constrained}) {
    const Result without = run(inputs, c, zeros_but_for(3, 1), {.topology = topology});
    const Tensors broken = {inputs[0].clone()};
    broken[0][1][3][0][0] = NAN;
    const Result found = run(broken, c, at::ones({3}), {.topology = topology});
    EXPECT_TRUE(std::isnan(found.losses[1].item<float>()));
    expect_alone(found, without, 1);
  }
}

TEST_P(Routes, InfiniteLogitsTouchTheirUtteranceOnly) {
  const Case c = make_case({4, 4, 4}, {2, 2, 2}, 5);
  const Tensors inputs = GetParam().inputs(c);
  if (inputs.size() == 4) GTEST_SKIP() << "tanh takes infinity to one";
  const Result without = run(inputs, c, zeros_but_for(3, 1));
  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensors broken = inputs;
    broken[i] = inputs[i].clone();
    const at::Tensor row = broken[i].dim() == 4 ? broken[i][1][1][1] : broken[i][1][1];
    row[0] = INFINITY;
    const Result found = run(broken, c, at::ones({3}));
    EXPECT_TRUE(std::isnan(found.losses[1].item<float>())) << i;
    expect_alone(found, without, 1);
  }
}

TEST_P(Routes, ANodeThatForbidsAllLabelsIsBroken) {
  if (GetParam().name == "log_probs") GTEST_SKIP() << "log-probabilities need not sum to one";
  const Case c = make_case({4, 4, 4}, {2, 2, 2}, 5);
  const Tensors inputs = GetParam().inputs(c);
  if (inputs.size() == 4) GTEST_SKIP() << "the joiner's biases belong to all utterances";
  const Result without = run(inputs, c, zeros_but_for(3, 1));
  Tensors broken = inputs;
  broken[0] = inputs[0].clone();
  const at::Tensor row = broken[0].dim() == 4 ? broken[0][1][1][1] : broken[0][1][1];
  row.fill_(-INFINITY);
  const Result found = run(broken, c, at::ones({3}));
  EXPECT_TRUE(std::isnan(found.losses[1].item<float>()));
  expect_alone(found, without, 1);
}

// A label forbidden everywhere by −∞.
TEST_P(Routes, ForbiddenLabelsAreLegitimate) {
  Case c = make_case({4, 3, 3}, {2, 1, 2}, 6);
  c.tokens = c.tokens.clamp(1, 3);
  c.tokens[2][0] = 4;
  Tensors inputs = GetParam().inputs(c);
  at::Tensor& forbidding = inputs.size() == 4 ? inputs[3] : inputs[0];
  forbidding.select(-1, 4).fill_(-INFINITY);
  if (GetParam().name == "log_probs") inputs[0] = inputs[0].log_softmax(-1);
  const Result found = run(inputs, c, at::ones({3}));
  EXPECT_EQ(found.losses[2].item<float>(), INFINITY) << "its first label is the forbidden one";
  const at::Tensor expected = brute_force_transducer(GetParam().logits(inputs), c);
  EXPECT_LT(largest_difference(found.losses.slice(0, 0, 2), expected.slice(0, 0, 2)), 3e-6);
  for (const at::Tensor& gradient : found.gradients) {
    EXPECT_TRUE(gradient.isfinite().all().item<bool>());
    EXPECT_GT(gradient.abs().max().item<float>(), 0);
  }
}

TEST_P(Routes, PaddingHasNoInfluenceAndNoGradient) {
  const Case c = make_case({4, 2}, {1, 3}, 7);
  const Tensors clean = GetParam().inputs(c);
  Tensors dirty;
  for (const at::Tensor& input : clean) dirty.push_back(input.clone());
  for (int64_t b = 0; b < 2; ++b) {
    const int64_t frames = c.frames[b].item<int64_t>(), states = c.labels[b].item<int64_t>() + 1;
    dirty[0][b].slice(0, frames).fill_(NAN);
    if (dirty.size() == 1)
      dirty[0][b].slice(1, states).fill_(INFINITY);
    else
      dirty[1][b].slice(0, states).fill_(NAN);
  }
  const Result expected = run(clean, c, at::ones({2})), found = run(dirty, c, at::ones({2}));
  EXPECT_TRUE(at::equal(found.losses, expected.losses));
  for (size_t i = 0; i < clean.size(); ++i)
    EXPECT_TRUE(at::equal(found.gradients[i], expected.gradients[i])) << i;
  EXPECT_EQ(found.gradients[0][1].slice(0, 2).abs().max().item<float>(), 0);
}

TEST_P(Routes, HalfPrecisionInputsGiveTheResultsOfTheirFloats) {
  if (GetParam().name == "simple_float64") GTEST_SKIP();
  const Case c = make_case({6, 4}, {3, 2}, 19);
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    Tensors half, full;
    for (const at::Tensor& input : GetParam().inputs(c)) {
      half.push_back(input.to(type));
      full.push_back(half.back().to(at::kFloat));
    }
    const Result found = run(half, c, at::ones({2})), expected = run(full, c, at::ones({2}));
    EXPECT_EQ(found.losses.scalar_type(), at::kFloat);
    EXPECT_TRUE(at::equal(found.losses, expected.losses)) << type;
    for (size_t i = 0; i < half.size(); ++i) {
      EXPECT_EQ(found.gradients[i].scalar_type(), type);
      EXPECT_TRUE(at::equal(found.gradients[i], expected.gradients[i].to(type))) << type << i;
    }
  }
}

TEST_P(Routes, ThreadsDoNotChangeAByte) {
  for (const Case& c : {make_case({60, 31, 17}, {12, 9, 0}, 28), make_case({200}, {40}, 70)}) {
    const Tensors inputs = GetParam().inputs(c);
    const at::Tensor weights = at::rand({c.tokens.size(0)});
    for (const Topology topology : kTopologies) {
      const int before = thread_count();
      set_thread_count(1);
      const Result one = run(inputs, c, weights, {.topology = topology});
      set_thread_count(3);
      const Result three = run(inputs, c, weights, {.topology = topology});
      set_thread_count(before);
      EXPECT_TRUE(at::equal(one.losses, three.losses));
      for (size_t i = 0; i < inputs.size(); ++i)
        EXPECT_TRUE(at::equal(one.gradients[i], three.gradients[i])) << i;
    }
  }
}

TEST_P(Routes, ErrorsNameValueAndPlace) {
  const Case good = make_case({4, 3}, {2, 1}, 5);
  const Tensors inputs = GetParam().inputs(good);
  const auto broken = [&](const std::function<void(Case&)>& change) -> std::string {
    Case c = good;
    c.tokens = good.tokens.clone();
    c.frames = good.frames.clone();
    c.labels = good.labels.clone();
    change(c);
    try {
      GetParam().losses(inputs, c, {});
    } catch (const UserError& e) {
      return std::string(e.what()) + " / " + e.hint();
    }
    return "no error";
  };
  EXPECT_EQ(broken([](Case&) {}), "no error");
  EXPECT_EQ(broken([](Case& c) { c.frames[1] = 0; }), "no error");
  EXPECT_THAT(broken([](Case& c) { c.frames[1] = -1; }),
              HasSubstr("frame length of utterance 1 is -1 / it must be in 0 … 5"));
  EXPECT_THAT(broken([](Case& c) { c.frames[0] = 6; }), HasSubstr("of utterance 0 is 6"));
  EXPECT_THAT(broken([](Case& c) { c.labels[1] = 4; }),
              HasSubstr("token length of utterance 1 is 4"));
  EXPECT_THAT(broken([](Case& c) { c.tokens[0][1] = 5; }),
              HasSubstr("label 1 of utterance 0 is 5 / labels must be in 0 … 4"));
  EXPECT_THAT(broken([](Case& c) { c.tokens[0][1] = 0; }), HasSubstr("is the blank, 0"));
  // These routes cannot check it: the number of labels is not in the logits, or the batch is
  // checked already.
  if (GetParam().name == "band_of_logits" || GetParam().name.starts_with("device")) return;
  EXPECT_THAT(broken([](Case& c) { c.tokens = c.tokens.slice(1, 1); }),
              HasSubstr("do not fit together"));
}

TEST_P(Routes, NoUtteranceNoLoss) {
  Case c;
  c.tokens = at::zeros({0, 1}, at::kLong);
  c.frames = c.labels = at::zeros({0}, at::kLong);
  c.T = 3;
  c.U = 1;
  c.V = 4;
  const Result found = run(GetParam().inputs(c), c, at::ones({0}));
  EXPECT_EQ(found.losses.sizes(), at::IntArrayRef({0}));
}

// Random shapes, labels, topologies and rules: all routes from the same logits agree.
TEST(AllRoutes, AgreeOnRandomShapes) {
  at::manual_seed(23);
  const auto number = [](int64_t low, int64_t high) {
    return at::randint(low, high + 1, {1}, at::kLong).item<int64_t>();
  };
  for (int round = 0; round < 25; ++round) {
    std::vector<int64_t> frames, labels;
    for (int64_t b = number(1, 4); b > 0; --b) {
      frames.push_back(number(0, 40));
      labels.push_back(number(0, 25));
    }
    const Case c = make_case(frames, labels, number(2, 90));
    const TransducerLossOptions options{.delay_penalty = round % 3 == 0 ? 0.1 : 0,
                                        .topology = kTopologies[round % 3]};
    const Tensors inputs = random_joiner(c);
    std::vector<Result> results;
    for (const Route& route : all_routes()) {
      if (route.name.starts_with("simple")) continue;
      Tensors leaves;
      for (const at::Tensor& input : inputs) leaves.push_back(input.clone().requires_grad_());
      Tensors given = leaves;
      if (route.of_utterances == 1) given = {joiner_logits(leaves)};
      if (route.name == "log_probs") given = {given[0].log_softmax(-1)};
      const at::Tensor losses = route.losses(given, c, options);
      losses.sum().backward();
      Result result{losses.detach(), {}};
      for (const at::Tensor& leaf : leaves) result.gradients.push_back(leaf.grad());
      results.push_back(std::move(result));
    }
    for (size_t i = 1; i < results.size(); ++i) {
      EXPECT_TRUE(at::allclose(results[i].losses, results[0].losses, 2e-6, 1e-5)) << i;
      for (size_t k = 0; k < inputs.size(); ++k)
        EXPECT_LT(largest_difference(results[i].gradients[k], results[0].gradients[k]),
                  5e-6 * (1 + results[0].gradients[k].abs().max().item<double>()))
            << "round " << round << ", route " << i << ", input " << k;
    }
  }
}

TEST(LogProbabilities, HaveAGradientWhereAnArcIsAndNowhereElse) {
  at::manual_seed(3);
  const Case c = make_case({5, 3}, {2, 3}, 9);
  const at::Tensor log_probs = route_logits(c).requires_grad_();  // not normalised
  const at::Tensor losses = transducer_loss_from_log_probs(log_probs, labels_of(c));
  losses.sum().backward();
  // Every label once, a blank in every frame, at these entries only.
  const at::Tensor blank = log_probs.grad().select(-1, 0);
  EXPECT_LT(largest_difference(blank.sum({1, 2}), -c.frames), 1e-5);
  EXPECT_LT(largest_difference(log_probs.grad().sum({1, 2, 3}), -c.frames - c.labels), 1e-5);
  EXPECT_LE(log_probs.grad().ne(0).sum(-1).max().item<int64_t>(), 2);
  const auto loss = [&](const at::Tensor& x) {
    return transducer_loss_from_log_probs(x.to(at::kFloat), labels_of(c)).sum().item<double>();
  };
  const at::Tensor direction = at::randn_like(log_probs);
  const at::Tensor values = log_probs.detach();
  EXPECT_NEAR((loss(values + 0.01 * direction) - loss(values - 0.01 * direction)) / 0.02,
              (log_probs.grad() * direction).sum().item<double>(), 2e-2);
}

}  // namespace
}  // namespace scion::routes
