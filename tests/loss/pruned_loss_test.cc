#include "scion/loss/pruned_loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/safetensors.h"
#include "scion/loss/lattice/checks.h"
#include "scion/loss/lattice_loss.h"
#include "scion/loss/transducer_loss.h"
#include "tests/core/cuda.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/loss/device/host_device.h"
#include "tests/loss/lattice_cases.h"

namespace scion {
namespace {

using scion::testing::Case;
using scion::testing::finite_differences;
using scion::testing::has_gpu;
using scion::testing::joiner_of;
using scion::testing::labels_of;
using scion::testing::largest_difference;
using scion::testing::make_case;
using scion::testing::take_ranges;
using ::testing::HasSubstr;

const std::map<std::string, Topology> topologies = {{"regular", Topology::regular},
                                                    {"modified", Topology::modified},
                                                    {"constrained", Topology::constrained}};

/// A case computed with k2; see tests/golden/README.md.
class K2Case {
 public:
  K2Case(std::string name, at::Device device) : name_(std::move(name)), device_(device) {
    const at::Tensor settings = host("settings");
    const auto setting = [&](int64_t i) { return settings[i].item<double>(); };
    options.lm_only_scale = setting(0);
    options.am_only_scale = setting(1);
    options.delay_penalty = setting(2);
    options.blank = static_cast<int64_t>(setting(3));
    width = static_cast<int64_t>(setting(4));
    const at::Tensor boundary = host("boundary");
    labels = {host("symbols"), boundary.select(1, 3).contiguous(),
              boundary.select(1, 2).contiguous()};
  }

  static const SafeTensors& all() {
    static const SafeTensors content =
        read_safetensors(SCION_SOURCE_DIR "/tests/golden/rnnt_loss/k2_pruned.safetensors");
    return content;
  }
  at::Tensor host(const std::string& key) const { return all().at(name_ + "." + key); }
  at::Tensor at(const std::string& key) const { return host(key).to(device_); }
  bool has(const std::string& key) const { return all().contains(name_ + "." + key); }
  at::Tensor leaf(const std::string& key) const { return at(key).to(at::kDouble).requires_grad_(); }
  /// Most of it was computed in float64.
  double tolerance(const std::string& key) const {
    if (at(key).scalar_type() == at::kFloat) return 1e-5;
    return options.delay_penalty == 0 ? 1e-9 : 1e-6;
  }
  void expect_equal(const at::Tensor& found, const std::string& key) const {
    const at::Tensor expected = at(key).to(at::kDouble);
    EXPECT_TRUE(at::allclose(found.to(at::kDouble), expected, tolerance(key), tolerance(key)))
        << name_ << " " << key << ": " << largest_difference(found, expected);
  }

  SimpleLossOptions options;
  LatticeLabels labels;
  int64_t width = 0;

 private:
  std::string name_;
  at::Device device_;
};

const std::vector<std::string> k2_cases = {"basic", "delay_penalty", "empty_symbols_and_t_lt_s",
                                           "no_boundary_blank_last", "range5_wide"};

/// f(case, name of the topology) for everything that k2 computed; options.topology is set.
template <class F>
void for_each_k2_case_on(at::Device device, const F& f) {
  int count = 0;
  for (const std::string& name : k2_cases)
    for (const auto& [topology_name, topology] : topologies) {
      K2Case k2(name, device);
      if (!k2.has(topology_name + ".ranges")) continue;
      k2.options.topology = topology;
      f(k2, topology_name);
      ++count;
    }
  EXPECT_EQ(count, 13);
}

template <class F>
void for_each_k2_case(const F& f) {
  for_each_k2_case_on(at::kCPU, f);
  if (has_gpu()) for_each_k2_case_on(at::kCUDA, f);
}

TEST(SimpleLoss, EqualsK2) {
  for_each_k2_case([](const K2Case& k2, const std::string& topology) {
    for (const bool smoothed : {false, true}) {
      SimpleLossOptions options = k2.options;
      if (!smoothed) options.lm_only_scale = options.am_only_scale = 0;
      const std::string key = topology + (smoothed ? ".smoothed" : ".simple");
      const at::Tensor am = k2.leaf("am"), lm = k2.leaf("lm");
      const SimpleLoss simple = simple_transducer_loss(am, lm, k2.labels, options);
      k2.expect_equal(simple.losses, key + ".loss");
      if (!k2.has(key + ".grad_am")) continue;
      // Infinite losses have no gradient, in k2 as in scion.
      simple.losses.masked_fill(simple.losses.isinf(), 0).sum().backward();
      k2.expect_equal(am.grad(), key + ".grad_am");
      k2.expect_equal(lm.grad(), key + ".grad_lm");
    }
  });
}

TEST(PruningRanges, EqualK2s) {
  for_each_k2_case([](const K2Case& k2, const std::string& topology) {
    const SimpleLoss simple =
        simple_transducer_loss(k2.leaf("am"), k2.leaf("lm"), k2.labels, k2.options);
    const at::Tensor ranges = pruning_ranges(simple.arcs, k2.labels, k2.options.topology, k2.width);
    const at::Tensor expected = k2.at(topology + ".ranges");
    ASSERT_EQ(ranges.sizes(), expected.sizes());
    // They have no meaning past an utterance's end.
    for (int64_t b = 0; b < ranges.size(0); ++b) {
      const int64_t frames = k2.labels.frame_lengths[b].item<int64_t>();
      EXPECT_TRUE(ranges[b].narrow(0, 0, frames).equal(expected[b].narrow(0, 0, frames)))
          << topology << "\n"
          << ranges[b].select(1, 0) << "\n"
          << expected[b].select(1, 0);
    }
  });
}

TEST(PrunedLoss, EqualsK2) {
  for_each_k2_case([](const K2Case& k2, const std::string& topology) {
    const at::Tensor encoder = k2.leaf("enc"), predictor = k2.leaf("dec");
    const at::Tensor ranges = k2.at(topology + ".ranges");
    const auto [frames, states] = take_ranges(encoder, predictor, ranges);
    const at::Tensor logits = at::matmul(at::tanh(frames + states), k2.at("W").to(at::kDouble));
    const at::Tensor losses = pruned_transducer_loss(logits, ranges, k2.labels, k2.options);
    k2.expect_equal(losses, topology + ".pruned.loss");
    if (!k2.has(topology + ".pruned.grad_enc")) return;
    losses.masked_fill(losses.isinf(), 0).sum().backward();
    k2.expect_equal(encoder.grad(), topology + ".pruned.grad_enc");
    k2.expect_equal(predictor.grad(), topology + ".pruned.grad_dec");
  });
}

/// A joiner's losses over a band: encoder, predictor, weight and bias; ranges.
using BandLoss = std::function<at::Tensor(const std::vector<at::Tensor>&, const at::Tensor&)>;

/// Losses and gradients of the fused second pass on k2's inputs, in float.
void expect_k2s_band(const K2Case& k2, const std::string& topology, const BandLoss& loss) {
  const auto single = [&](const std::string& key) {
    return k2.at(key).to(at::kFloat, false, true);
  };
  const at::Tensor encoder = single("enc").requires_grad_(), weight = single("W").t();
  const at::Tensor predictor = single("dec").requires_grad_();
  const at::Tensor bias = at::zeros({weight.size(0)}, weight.options());
  const at::Tensor losses = loss({encoder, predictor, weight, bias}, k2.at(topology + ".ranges"));
  const auto expect_near = [&](const at::Tensor& found, const std::string& key) {
    EXPECT_TRUE(at::allclose(found, single(topology + ".pruned." + key), 1e-5, 1e-5)) << key;
  };
  expect_near(losses, "loss");
  if (!k2.has(topology + ".pruned.grad_enc")) return;
  losses.sum().backward();
  expect_near(encoder.grad(), "grad_enc");
  expect_near(predictor.grad(), "grad_dec");
}

TEST(PrunedLoss, FusedWithTheJoinerEqualsK2) {
  for_each_k2_case([](const K2Case& k2, const std::string& topology) {
    const TransducerLossOptions options{.blank = k2.options.blank,
                                        .delay_penalty = k2.options.delay_penalty,
                                        .topology = k2.options.topology};
    expect_k2s_band(k2, topology, [&](const auto& x, const at::Tensor& ranges) {
      return pruned_joiner_loss(joiner_of(x), ranges, k2.labels, options);
    });
  });
}

TEST(PrunedLoss, OfTheDevicesKernelsEqualsK2) {
  for_each_k2_case_on(at::kCPU, [](const K2Case& k2, const std::string& topology) {
    const LatticeRules rules{.blank = k2.options.blank,
                             .delay_penalty = k2.options.delay_penalty,
                             .topology = k2.options.topology};
    expect_k2s_band(k2, topology, [&](const auto& x, const at::Tensor& ranges) {
      const LatticeBatch batch = check_joiner_batch(joiner_of(x), k2.labels, rules);
      return device_pruned_joiner_loss(scion::testing::host_device(), joiner_of(x), ranges, batch,
                                       {.workspace_bytes = 1 << 20});
    });
  });
}

class PrunedLossTest : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(5); }
  static LatticeArcs random_arcs(const Case& c) {
    return {at::randn({c.tokens.size(0), c.T, c.U + 1}, at::kDouble),
            at::randn({c.tokens.size(0), c.T, c.U}, at::kDouble)};
  }
};

/// Sum over all paths from node (t, u) to the end.
double all_paths(const LatticeArcs& arcs, int64_t b, bool same_frame, int64_t frames,
                 int64_t labels, int64_t t, int64_t u) {
  if (t == frames) return u == labels ? 1 : 0;
  double sum = std::exp(arcs.blank[b][t][u].item<double>()) *
               all_paths(arcs, b, same_frame, frames, labels, t + 1, u);
  if (u < labels)
    sum += std::exp(arcs.label[b][t][u].item<double>()) *
           all_paths(arcs, b, same_frame, frames, labels, same_frame ? t : t + 1, u + 1);
  return sum;
}

TEST_F(PrunedLossTest, LatticeLossIsTheSumOverAllAlignments) {
  const Case c = make_case({4, 1, 3, 5}, {3, 2, 0, 2}, 5);
  const LatticeArcs arcs = random_arcs(c);
  for (const auto& [name, topology] : topologies) {
    const at::Tensor losses = lattice_loss(arcs, labels_of(c), topology);
    for (int64_t b = 0; b < 4; ++b) {
      const double expected =
          -std::log(all_paths(arcs, b, topology == Topology::regular, c.frames[b].item<int64_t>(),
                              c.labels[b].item<int64_t>(), 0, 0));
      if (std::isinf(expected)) {  // two labels in one frame
        EXPECT_TRUE(std::isinf(losses[b].item<double>())) << name;
      } else {
        EXPECT_NEAR(losses[b].item<double>(), expected, 1e-12) << name;
      }
    }
  }
}

TEST_F(PrunedLossTest, FlowsAreTheGradientAndConserved) {
  const Case c = make_case({4, 3, 5}, {3, 0, 2}, 5);
  const LatticeArcs arcs = random_arcs(c);
  for (const auto& [name, topology] : topologies) {
    const LatticeArcs flows = lattice_flows(arcs, labels_of(c), topology);
    const auto loss = [&, kind = topology](const at::Tensor& blank, const at::Tensor& label) {
      return lattice_loss({blank, label}, labels_of(c), kind).sum().item<double>();
    };
    const at::Tensor by_blank =
        finite_differences([&](const at::Tensor& x) { return loss(x, arcs.label); }, arcs.blank);
    const at::Tensor by_label =
        finite_differences([&](const at::Tensor& x) { return loss(arcs.blank, x); }, arcs.label);
    EXPECT_LT(largest_difference(flows.blank, -by_blank), 1e-7) << name;
    EXPECT_LT(largest_difference(flows.label, -by_label), 1e-7) << name;
    // Every label is used once; every frame is left once, by a blank or, except in `regular`, a
    // label.
    EXPECT_LT(largest_difference(flows.label.sum({1, 2}), c.labels.to(at::kDouble)), 1e-12);
    at::Tensor left = flows.blank.sum({1, 2});
    if (topology != Topology::regular) left = left + flows.label.sum({1, 2});
    EXPECT_LT(largest_difference(left, c.frames.to(at::kDouble)), 1e-12) << name;
  }
}

TEST_F(PrunedLossTest, AWindowOfAllStatesPrunesNothing) {
  const Case c = make_case({6, 3, 4}, {3, 2, 0}, 7);
  const at::Tensor logits = at::randn({3, c.T, c.U + 1, 7});
  const at::Tensor all = at::arange(c.U + 1).expand({3, c.T, c.U + 1}).contiguous();
  EXPECT_LT(largest_difference(pruned_transducer_loss(logits, all, labels_of(c), {}),
                               transducer_loss(logits, labels_of(c))),
            1e-5);
  const at::Tensor pruned = pruned_transducer_loss(
      logits, all, labels_of(c), {.topology = Topology::regular, .delay_penalty = 0.3});
  EXPECT_LT(
      largest_difference(pruned, transducer_loss(logits, labels_of(c), {.delay_penalty = 0.3})),
      1e-5);
}

TEST_F(PrunedLossTest, PruningOnlyTakesAlignmentsAway) {
  const Case c = make_case({30, 25, 12}, {12, 5, 9}, 7);
  const at::Tensor encoder = at::randn({3, c.T, 7}), predictor = at::randn({3, c.U + 1, 7});
  for (const auto& [name, topology] : topologies) {
    const SimpleLossOptions options{.topology = topology};
    const SimpleLoss simple = simple_transducer_loss(encoder, predictor, labels_of(c), options);
    double last = std::numeric_limits<double>::infinity();
    for (const int64_t width : {2, 4, 7, 14}) {
      const at::Tensor ranges = pruning_ranges(simple.arcs, labels_of(c), topology, width);
      const auto [frames, states] = take_ranges(encoder, predictor, ranges);
      const double loss = pruned_transducer_loss(frames + states, ranges, labels_of(c), options)
                              .sum()
                              .item<double>();
      EXPECT_LE(loss, last + 1e-4) << name << " " << width;
      last = loss;
    }
    // An additive joiner on all states is the simple one.
    EXPECT_NEAR(last, simple.losses.sum().item<double>(), 1e-3) << name;
  }
}

TEST_F(PrunedLossTest, RangesCanBeFollowed) {
  for (int round = 0; round < 20; ++round) {
    const Case c = make_case({12 + round, 9, 14}, {8, 3, 0}, 6);
    const LatticeArcs arcs = random_arcs(c);
    for (const auto& [name, topology] : topologies) {
      const int64_t width = 3;
      const at::Tensor ranges = pruning_ranges(arcs, labels_of(c), topology, width);
      for (int64_t b = 0; b < 3; ++b) {
        const int64_t frames = c.frames[b].item<int64_t>(), labels = c.labels[b].item<int64_t>();
        const at::Tensor first = ranges[b].select(1, 0).narrow(0, 0, frames);
        EXPECT_EQ(first[0].item<int64_t>(), 0) << name;
        const at::Tensor rise = first.diff();
        EXPECT_GE(rise.min().item<int64_t>(), 0) << name;
        EXPECT_LE(rise.max().item<int64_t>(), topology == Topology::regular ? width - 1 : 1);
        EXPECT_GE(ranges[b][frames - 1][width - 1].item<int64_t>(), labels) << name;
      }
    }
  }
}

/// The sum of `losses` of leaves made of `inputs`, and their gradients.
std::vector<at::Tensor> loss_and_gradients(
    const std::vector<at::Tensor>& inputs,
    const std::function<at::Tensor(const std::vector<at::Tensor>&)>& losses) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& input : inputs) leaves.push_back(input.clone().requires_grad_());
  const at::Tensor all = losses(leaves);
  all.masked_fill(all.isinf(), 0).sum().backward();
  std::vector<at::Tensor> results = {all.detach()};
  for (const at::Tensor& leaf : leaves) results.push_back(leaf.grad());
  return results;
}

void expect_close(const std::vector<at::Tensor>& found, const std::vector<at::Tensor>& expected,
                  double tolerance, const std::string& place) {
  for (size_t i = 0; i < expected.size(); ++i) {
    const at::Tensor want = expected[i].to(at::kDouble), have = found[i].to(at::kDouble);
    EXPECT_TRUE(at::allclose(have, want, tolerance, tolerance)) << place << " " << i;
  }
}

// Otherwise the band depends on the device, and on the order of sums.
TEST_F(PrunedLossTest, RangesDoNotDependOnRounding) {
  const Case c = make_case({60, 45}, {20, 6}, 7);
  for (const Topology topology : scion::testing::kTopologies) {
    // A steep lattice: most frames have nearly all flow in one or two states.
    const LatticeArcs arcs{at::randn({2, c.T, c.U + 1}) * 6, at::randn({2, c.T, c.U}) * 6};
    const LatticeArcs flows = lattice_flows(arcs, labels_of(c), topology);
    const at::Tensor ranges = ranges_of_flows(flows, labels_of(c), topology, 5);
    for (int turn = 0; turn < 5; ++turn) {
      const auto rounded = [](const at::Tensor& x) { return x + 1e-6 * at::randn(x.sizes()); };
      EXPECT_TRUE(at::equal(
          ranges_of_flows({rounded(flows.blank), rounded(flows.label)}, labels_of(c), topology, 5),
          ranges));
    }
  }
}

TEST_F(PrunedLossTest, TheFusedBandEqualsTheComposedOne) {
  const Case c = make_case({40, 25, 9, 0, 3}, {12, 2, 9, 1, 12}, 37);
  const std::vector<at::Tensor> joiner = {at::randn({5, c.T, 19}), at::randn({5, c.U + 1, 19}),
                                          at::randn({37, 19}), at::randn({37})};
  for (const auto& [name, topology] : topologies)
    for (const int64_t width : {2, 5, 30}) {
      const at::Tensor ranges = pruning_ranges(random_arcs(c), labels_of(c), topology, width);
      const double penalty = width == 5 ? 0.1 : 0;
      const auto fused = loss_and_gradients(joiner, [&, kind = topology](const auto& in) {
        return pruned_joiner_loss(joiner_of(in), ranges, labels_of(c),
                                  {.delay_penalty = penalty, .topology = kind});
      });
      const auto composed = loss_and_gradients(joiner, [&, kind = topology](const auto& in) {
        const auto [frames, states] = take_ranges(in[0], in[1], ranges);
        return pruned_transducer_loss(at::linear(at::tanh(frames + states), in[2], in[3]), ranges,
                                      labels_of(c), {.topology = kind, .delay_penalty = penalty});
      });
      expect_close(fused, composed, 2e-5, name + std::to_string(width));
    }
}

TEST_F(PrunedLossTest, TheFusedBandInBfloat16IsClose) {
  const Case c = make_case({40, 25}, {12, 2}, 37);
  const std::vector<at::Tensor> joiner = {at::randn({2, c.T, 24}), at::randn({2, c.U + 1, 24}),
                                          at::randn({37, 24}) * 0.3, at::randn({37})};
  const at::Tensor ranges = pruning_ranges(random_arcs(c), labels_of(c), Topology::regular, 4);
  const auto run = [&](bool bf16) {
    return loss_and_gradients(joiner, [&](const auto& in) {
      return pruned_joiner_loss(joiner_of(in), ranges, labels_of(c), {.bf16 = bf16});
    });
  };
  const auto half = run(true), full = run(false);
  for (size_t i = 0; i < full.size(); ++i)
    EXPECT_LT((half[i] - full[i]).norm().item<double>(), 1e-2 * full[i].norm().item<double>()) << i;
}

// The float64 route is composed of tensor operations and equals k2; the float route is fused.
TEST_F(PrunedLossTest, TheSimplePassInFloatEqualsTheOneInDouble) {
  const Case c = make_case({40, 25, 9, 0, 3}, {12, 2, 9, 1, 12}, 37);
  const std::vector<at::Tensor> inputs = {at::randn({5, c.T, 37}) * 3, at::randn({5, c.U + 1, 37})};
  for (const auto& [name, topology] : topologies)
    for (const double share : {0.0, 0.25}) {
      const SimpleLossOptions options{
          .topology = topology, .delay_penalty = share, .lm_only_scale = share};
      LatticeArcs arcs[2], flows[2];
      std::vector<at::Tensor> results[2];
      for (const int wide : {0, 1})
        results[wide] = loss_and_gradients(inputs, [&](const auto& in) {
          const auto type = wide ? at::kDouble : at::kFloat;
          const SimpleLoss simple =
              simple_transducer_loss(in[0].to(type), in[1].to(type), labels_of(c), options);
          arcs[wide] = simple.arcs;
          flows[wide] = simple.flows;
          return simple.losses;
        });
      expect_close(results[0], results[1], 3e-5, name);
      expect_close({flows[0].blank, flows[0].label}, {flows[1].blank, flows[1].label}, 2e-5, name);
      for (int64_t b = 0; b < 5; ++b) {
        const int64_t frames = c.frames[b].item<int64_t>(), labels = c.labels[b].item<int64_t>();
        const auto own = [&](const at::Tensor& x, int64_t states) {
          return x[b].narrow(0, 0, frames).narrow(1, 0, states);
        };
        expect_close({own(arcs[0].blank, labels + 1), own(arcs[0].label, labels)},
                     {own(arcs[1].blank, labels + 1), own(arcs[1].label, labels)}, 2e-5, name);
      }
    }
}

TEST_F(PrunedLossTest, ErrorsNameTheShapes) {
  const Case c = make_case({5, 3}, {3, 1}, 6);
  const at::Tensor am = at::randn({2, c.T, 6}), lm = at::randn({2, c.U + 1, 6});
  EXPECT_THAT(error_of<UserError>(
                  [&] { simple_transducer_loss(am, lm.narrow(1, 0, 2), labels_of(c), {}); }),
              HasSubstr("(2, 2, 6)"));
  const SimpleLoss simple = simple_transducer_loss(am, lm, labels_of(c), {});
  EXPECT_THAT(
      error_of<UserError>([&] { pruning_ranges(simple.arcs, labels_of(c), Topology::regular, 1); }),
      HasSubstr("1 states"));
  const at::Tensor ranges = pruning_ranges(simple.arcs, labels_of(c), Topology::regular, 2);
  at::Tensor gap = ranges.clone();
  gap[1][2][1] += 1;
  EXPECT_THAT(error_of<UserError>([&] {
                pruned_joiner_loss({am, lm, at::randn({6, 6}), at::randn({6})}, gap, labels_of(c));
              }),
              HasSubstr("states of frame 2 of utterance 1 are"));
  const at::Tensor wide = at::arange(c.U + 2).expand({2, c.T, c.U + 2});
  EXPECT_THAT(error_of<UserError>([&] {
                pruned_joiner_loss({am, lm, at::randn({6, 6}), at::randn({6})}, wide, labels_of(c));
              }),
              HasSubstr("predictor (2, 5, 6) and ranges (2, 6, 6) do not fit together"));
  EXPECT_THAT(error_of<UserError>([&] {
                pruned_transducer_loss(at::randn({2, c.T, 3, 6}), ranges, labels_of(c), {});
              }),
              HasSubstr("do not fit together"));
}

}  // namespace
}  // namespace scion
