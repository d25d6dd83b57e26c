#include "scion/loss/cpu/kernels.h"

#include <gtest/gtest.h>

#include "scion/core/threads.h"
#include "tests/loss/lattice_cases.h"

namespace scion {
namespace {

using scion::testing::largest_difference;

std::vector<const LossKernels*> all_kernels() {
  std::vector<const LossKernels*> all = {&portable_loss_kernels()};
#if defined(__x86_64__)
  if (processor().avx2) all.push_back(&avx2_loss_kernels());
  if (processor().avx512) all.push_back(&avx512_loss_kernels());
#endif
  return all;
}

/// Every instruction set in turn, compared with ATen in float64.
class Kernels : public ::testing::TestWithParam<const LossKernels*> {
 protected:
  void SetUp() override { at::manual_seed(3); }
  const LossKernels& kernels() { return *GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(All, Kernels, ::testing::ValuesIn(all_kernels()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST_P(Kernels, LogSumExp) {
  for (const int64_t V : {1, 2, 15, 16, 17, 28, 32, 33, 500}) {
    for (const double scale : {0.1, 3.0, 40.0}) {
      const at::Tensor z = at::randn({37, V + 3}) * scale;
      at::Tensor out = at::empty({37});
      kernels().log_sum_exp(z.data_ptr<float>(), 37, V + 3, V, out.data_ptr<float>());
      const at::Tensor expected = z.to(at::kDouble).slice(1, 0, V).logsumexp(1);
      EXPECT_LT(largest_difference(out, expected), 3e-7 * (1 + expected.abs().max().item<double>()))
          << V << " " << scale;
    }
  }
}

TEST_P(Kernels, LogSumExpOfExtremes) {
  at::Tensor z = at::randn({5, 20});
  z[0] = -INFINITY;
  z[1][3] = INFINITY;
  z[2][19] = NAN;
  z[3].slice(0, 1).fill_(-INFINITY);
  z[4] *= 1e30;
  at::Tensor out = at::empty({5});
  kernels().log_sum_exp(z.data_ptr<float>(), 5, 20, 20, out.data_ptr<float>());
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(std::isfinite(out[i].item<float>())) << i;
  EXPECT_EQ(out[3].item<float>(), z[3][0].item<float>());
  EXPECT_EQ(out[4].item<float>(), z[4].max().item<float>());
}

TEST_P(Kernels, ScaledSoftmax) {
  for (const int64_t V : {1, 7, 16, 28, 100}) {
    const at::Tensor z = at::randn({V}) * 20;
    const float log_sum = z.logsumexp(0).item<float>();
    at::Tensor out = at::empty({V});
    kernels().scaled_softmax(z.data_ptr<float>(), V, log_sum, 0.25, out.data_ptr<float>());
    const at::Tensor expected = (z.to(at::kDouble) - log_sum).exp() * 0.25;
    EXPECT_TRUE(at::allclose(out.to(at::kDouble), expected, 4e-6, 1e-36)) << V;
  }
}

TEST_P(Kernels, TanhToAFewUnitsInTheLastPlace) {
  const at::Tensor x =
      at::cat({at::linspace(-12, 12, 4001), at::randn({1000}) * 1e-3, at::zeros({2})});
  at::Tensor out = at::empty_like(x), zero = at::zeros_like(x);
  kernels().tanh_of_sums(x.data_ptr<float>(), zero.data_ptr<float>(), 0, 1, x.numel(),
                         out.data_ptr<float>(), 0);
  const at::Tensor expected = x.to(at::kDouble).tanh();
  EXPECT_TRUE(at::allclose(out.to(at::kDouble), expected, 4e-7, 0));
  EXPECT_LE(out.abs().max().item<float>(), 1);
}

TEST_P(Kernels, TanhPassesNaNOn) {
  const at::Tensor x = at::full({17}, NAN);
  at::Tensor out = at::zeros({17});
  kernels().tanh_of_sums(x.data_ptr<float>(), x.data_ptr<float>(), 0, 1, 17, out.data_ptr<float>(),
                         0);
  EXPECT_TRUE(out.isnan().all().item<bool>());
}

TEST_P(Kernels, TanhOfSumsOfSeveralRows) {
  const at::Tensor a = at::randn({45}), b = at::randn({5, 50});
  at::Tensor out = at::full({5, 47}, 7.F);
  kernels().tanh_of_sums(a.data_ptr<float>(), b.data_ptr<float>(), 50, 5, 45, out.data_ptr<float>(),
                         47);
  EXPECT_LT(largest_difference(out.slice(1, 0, 45), (a + b.slice(1, 0, 45)).tanh()), 5e-7);
  EXPECT_TRUE(out.slice(1, 45).eq(7).all().item<bool>());
}

TEST_P(Kernels, TanhGradientsAreAddedToBoth) {
  const at::Tensor h = at::randn({4, 48}).tanh(), g = at::randn({4, 48});
  at::Tensor a = at::randn({45}), b = at::randn({4, 46});
  const at::Tensor d = (g * (1 - h * h)).slice(1, 0, 45);
  at::Tensor want_a = a + d.sum(0), want_b = b.clone();
  want_b.slice(1, 0, 45) += d;
  kernels().add_tanh_gradients(h.data_ptr<float>(), g.data_ptr<float>(), 48, 4, 45,
                               a.data_ptr<float>(), b.data_ptr<float>(), 46);
  EXPECT_LT(largest_difference(a, want_a), 2e-6);
  EXPECT_LT(largest_difference(b, want_b), 1e-6);
}

TEST_P(Kernels, AddRows) {
  const at::Tensor rows = at::randn({9, 40});
  at::Tensor out = at::ones({37});
  kernels().add_rows(rows.data_ptr<float>(), 9, 40, 37, out.data_ptr<float>());
  EXPECT_LT(largest_difference(out, rows.slice(1, 0, 37).sum(0) + 1), 1e-5);
}

TEST_P(Kernels, MultiplyInPanelsFromEveryStart) {
  const int64_t lanes = kernels().lanes, panel = kernels().panel;
  for (const int64_t m : {1, 5, 24, 31}) {
    for (const int64_t vectors : {1, 2, 3, 4, 5, 7, 11}) {
      const int64_t n = vectors * lanes, k = 13;
      const at::Tensor a = at::randn({m, k}), b = at::randn({k, n}), bias = at::randn({n});
      const at::Tensor product = at::mm(a, b);
      at::Tensor c = at::empty({m, n});
      // B unpacked: its panels are side by side.
      kernels().multiply(m, n, k, a.data_ptr<float>(), k, 1, b.data_ptr<float>(), n, panel,
                         {bias.data_ptr<float>(), 0}, c.data_ptr<float>(), n);
      EXPECT_LT(largest_difference(c, product + bias), 1e-5) << m << " " << n;
      // A transposed, added to the previous result.
      const at::Tensor transposed = a.t().contiguous();
      kernels().multiply(m, n, k, transposed.data_ptr<float>(), 1, m, b.data_ptr<float>(), n, panel,
                         {c.data_ptr<float>(), n}, c.data_ptr<float>(), n);
      EXPECT_LT(largest_difference(c, product * 2 + bias), 2e-5) << m << " " << n;
      kernels().multiply(m, n, k, a.data_ptr<float>(), k, 1, b.data_ptr<float>(), n, panel, {},
                         c.data_ptr<float>(), n);
      EXPECT_LT(largest_difference(c, product), 1e-5) << m << " " << n;
    }
  }
}

TEST_P(Kernels, LatticeConservesFlow) {
  for (const auto& [T, S] : std::vector<std::pair<int64_t, int64_t>>{
           {1, 1}, {1, 9}, {8, 1}, {3, 30}, {40, 21}, {17, 17}, {600, 35}}) {
    const at::Tensor blank = at::rand({T, S}).log() - 1, label = at::rand({T, S}).log() - 1;
    at::Tensor blank_flow = at::empty({T, S}), label_flow = at::zeros({T, S});
    const at::Tensor workspace = at::empty({lattice_workspace_bytes(T, S)}, at::kByte);
    const double result = kernels().lattice(blank.data_ptr<float>(), label.data_ptr<float>(), T, S,
                                            workspace.data_ptr(), blank_flow.data_ptr<float>(),
                                            label_flow.data_ptr<float>());
    EXPECT_TRUE(std::isfinite(result));
    // Each frame is left once, each label is emitted once.
    EXPECT_LT(largest_difference(blank_flow.sum(1), at::ones({T})), 1e-5) << T << " " << S;
    if (S > 1) {
      EXPECT_LT(largest_difference(label_flow.sum(0).slice(0, 0, S - 1), at::ones({S - 1})), 1e-5);
    }
    EXPECT_LT(label_flow.select(1, S - 1).abs().max().item<float>(), 1e-30);
  }
}

TEST_P(Kernels, DurationLatticeConservesFlow) {
  const std::vector<int64_t> durations = {3, 0, 1, 8};
  const auto count = static_cast<int64_t>(durations.size());
  for (const auto& [T, S] : std::vector<std::pair<int64_t, int64_t>>{
           {1, 1}, {1, 9}, {8, 1}, {3, 30}, {40, 21}, {17, 17}, {600, 35}}) {
    at::Tensor blank = at::rand({T, S}).log() - 1, label = at::rand({T, S}).log() - 1;
    at::Tensor duration = at::randn({count, T, S}).log_softmax(0);
    const at::Tensor probability = duration.exp();
    const DurationLattice lattice{.frames = T,
                                  .states = S,
                                  .durations = durations.data(),
                                  .count = count,
                                  .sigma = 0.1,
                                  .blank = blank.data_ptr<float>(),
                                  .label = label.data_ptr<float>(),
                                  .duration = duration.data_ptr<float>(),
                                  .plane = T * S};
    const at::Tensor workspace = at::empty({duration_workspace_bytes(lattice)}, at::kByte);
    const double result = kernels().duration_lattice(lattice, true, workspace.data_ptr());
    EXPECT_TRUE(std::isfinite(result));
    // Each label is emitted once; the arcs' durations sum to all frames.
    if (S > 1) {
      EXPECT_LT(largest_difference(label.sum(0).slice(0, 0, S - 1), at::ones({S - 1})), 1e-5);
    }
    EXPECT_EQ(label.select(1, S - 1).abs().max().item<float>(), 0);
    const at::Tensor flows = (blank + label) * probability - duration;
    const at::Tensor frames = at::tensor(durations, at::kFloat).view({-1, 1, 1}) * flows;
    EXPECT_NEAR(frames.sum().item<double>() / static_cast<double>(T), 1, 1e-4) << T << " " << S;
    EXPECT_LT(duration.sum(0).abs().max().item<float>(), 1e-5);
  }
}

TEST(KernelChoice, TakesTheFastest) { EXPECT_EQ(loss_kernels().name, all_kernels().back()->name); }

// Factors of m × k and k × n: packed, multiplied and compared with the product of rounded factors.
void check_pairs(int64_t m, int64_t n, int64_t k) {
  const PairKernels& kernels = *pair_kernels();
  const int64_t columns = (n + 15) / 16 * 16, panel = loss_kernels().panel;
  const int64_t panels = (columns + panel - 1) / panel, pairs = (k + 1) / 2;
  const at::Tensor a = at::randn({m, k + 3}), start = at::randn({columns});
  const at::Tensor b = at::zeros({panels, k, panel});
  for (int64_t p = 0; p < panels; ++p) b[p] = at::randn({k, panel});
  const at::Tensor a_pairs = at::empty({m, pairs}, at::kInt);
  const at::Tensor b_pairs = at::empty({panels, pairs, panel}, at::kInt);
  const auto words = [](const at::Tensor& x) {
    return static_cast<uint32_t*>(x.mutable_data_ptr());
  };
  kernels.pairs_in_rows(a.const_data_ptr<float>(), k + 3, m, k, words(a_pairs), pairs);
  for (int64_t p = 0; p < panels; ++p)
    kernels.pairs_across_rows(b[p].const_data_ptr<float>(), panel, k, panel, words(b_pairs[p]),
                              panel);
  const at::Tensor c = at::empty({m, columns});
  kernels.multiply(m, columns, pairs, words(a_pairs), pairs, 1, words(b_pairs), panel,
                   pairs * panel, {start.const_data_ptr<float>(), 0}, c.data_ptr<float>(), columns);
  const auto exact = [](const at::Tensor& x) { return x.to(at::kBFloat16).to(at::kDouble); };
  const at::Tensor right = b.transpose(0, 1).reshape({k, -1}).slice(1, 0, columns);
  const at::Tensor expected = at::mm(exact(a.slice(1, 0, k)), exact(right)) + start;
  EXPECT_LT(largest_difference(c, expected), 1e-5 * std::sqrt(k)) << m << " " << n << " " << k;
}

TEST(PairKernels, MultiplyRoundedFactors) {
  if (pair_kernels() == nullptr) GTEST_SKIP() << "no AVX512-BF16";
  at::manual_seed(4);
  for (const int64_t m : {1, 5, 6, 13})
    for (const int64_t n : {16, 48, 64, 112})
      for (const int64_t k : {1, 2, 17, 40}) check_pairs(m, n, k);
}

const uint16_t* bits(const at::Tensor& halves) {
  return static_cast<const uint16_t*>(halves.const_data_ptr());
}

TEST(PairKernels, TanhOfSumsInFloatsAndInPairs) {
  if (pair_kernels() == nullptr) GTEST_SKIP() << "no AVX512-BF16";
  at::manual_seed(5);
  const at::Tensor a = at::zeros({1037}), b = at::empty({3, 1040});
  b[0] = at::linspace(-7, 7, 1040);
  b[1] = at::randn({1040}) * 1e-3;
  b[2] = at::randn({1040}) * 3;
  b[2][5] = NAN;
  const at::Tensor out = at::full({3, 1038}, 7.F), pairs = at::full({3, 520}, 7, at::kInt);
  pair_kernels()->tanh_of_sums(a.const_data_ptr<float>(), b.const_data_ptr<float>(), 1040, 3, 1037,
                               out.data_ptr<float>(), 1038);
  const at::Tensor expected = b.slice(1, 0, 1037).to(at::kDouble).tanh();
  EXPECT_TRUE(at::allclose(out.slice(1, 0, 1037).to(at::kDouble), expected, 4e-5, 0, true));
  EXPECT_LE(out.slice(1, 0, 1037).nan_to_num().abs().max().item<float>(), 1);
  EXPECT_TRUE(out.select(1, 1037).eq(7).all().item<bool>());
  pair_kernels()->pairs_of_tanh(a.const_data_ptr<float>(), b.const_data_ptr<float>(), 1040, 3, 1037,
                                static_cast<uint32_t*>(pairs.mutable_data_ptr()), 520);
  const at::Tensor halves = pairs.view(at::kBFloat16);
  EXPECT_TRUE(
      at::allclose(halves.slice(1, 0, 1037), out.slice(1, 0, 1037).to(at::kBFloat16), 0, 0, true));
  EXPECT_TRUE(halves.select(1, 1037).eq(0).all().item<bool>());
  EXPECT_TRUE(pairs.slice(1, 519).eq(7).all().item<bool>());
}

uint16_t* halves_of(const at::Tensor& x) { return static_cast<uint16_t*>(x.mutable_data_ptr()); }

TEST(PairKernels, ExponentialsAreASoftmaxWithItsSums) {
  if (pair_kernels() == nullptr) GTEST_SKIP() << "no AVX512-BF16";
  at::manual_seed(6);
  for (const int64_t V : {1, 7, 16, 28, 100, 300}) {
    for (const double scale : {1.0, 20.0, 300.0}) {
      const int64_t rows = 19, width = (V + 31) / 32 * 32 + 1;
      const at::Tensor z = at::randn({rows, V + 2}) * scale;
      if (V > 1) z.select(1, 1).fill_(-INFINITY);
      const at::Tensor kept = at::full({rows, width}, 7, at::kBFloat16);
      const at::Tensor log_sums = at::empty({rows}), factors = at::empty({rows});
      pair_kernels()->exponentials(z.const_data_ptr<float>(), rows, V + 2, V, halves_of(kept),
                                   width, log_sums.data_ptr<float>(), factors.data_ptr<float>());
      const at::Tensor logits = z.slice(1, 0, V).to(at::kDouble);
      const at::Tensor found = kept.slice(1, 0, V).to(at::kDouble) * factors.unsqueeze(1);
      EXPECT_TRUE(at::allclose(found, logits.softmax(1), 4.5e-3, 2e-38)) << V << " " << scale;
      EXPECT_TRUE(at::allclose(log_sums.to(at::kDouble), logits.logsumexp(1), 1e-6, 1e-6));
      EXPECT_TRUE(kept.slice(1, V, width - 1).eq(0).all().item<bool>());
      EXPECT_TRUE(kept.select(1, width - 1).eq(7).all().item<bool>());
    }
  }
}

TEST(PairKernels, ExponentialsOfBrokenRowsAreNoNumbers) {
  if (pair_kernels() == nullptr) GTEST_SKIP() << "no AVX512-BF16";
  for (const int64_t V : {5, 300}) {
    const at::Tensor z = at::zeros({4, V}),
                     kept = at::empty({4, (V + 31) / 32 * 32}, at::kBFloat16);
    z[0].fill_(-INFINITY);
    z[1][3] = INFINITY;
    z[2][V - 1] = NAN;
    const at::Tensor log_sums = at::empty({4}), factors = at::empty({4});
    pair_kernels()->exponentials(z.const_data_ptr<float>(), 4, V, V, halves_of(kept), kept.size(1),
                                 log_sums.data_ptr<float>(), factors.data_ptr<float>());
    EXPECT_TRUE(log_sums.slice(0, 0, 3).isnan().all().item<bool>()) << log_sums;
    EXPECT_NEAR(log_sums[3].item<float>(), std::log(V), 1e-6);
  }
}

TEST(PairKernels, HalvesAreScaledPairedAndAdded) {
  if (pair_kernels() == nullptr) GTEST_SKIP() << "no AVX512-BF16";
  at::manual_seed(7);
  for (const int64_t rows : {1, 2, 7}) {
    const at::Tensor x = at::randn({rows, 64}).to(at::kBFloat16), y = at::full_like(x, 7);
    for (int64_t r = 0; r < rows; ++r)
      pair_kernels()->scaled(bits(x[r]), 40, 0.3F, halves_of(y[r]));
    EXPECT_TRUE(at::equal(y, (x.to(at::kFloat) * 0.3F).to(at::kBFloat16)));

    const int64_t pairs = (rows + 1) / 2;
    const at::Tensor found = at::full({pairs, 50}, 7, at::kInt);
    pair_kernels()->pairs_of_halves(bits(y), 64, rows, 48,
                                    static_cast<uint32_t*>(found.mutable_data_ptr()), 50);
    const at::Tensor halves = found.view(at::kBFloat16).view({pairs, 50, 2});
    const at::Tensor even = at::constant_pad_nd(y, {0, 0, 0, rows % 2}).view({pairs, 2, 64});
    EXPECT_TRUE(at::equal(halves.slice(1, 0, 48), even.transpose(1, 2).slice(1, 0, 48)));
    EXPECT_TRUE(found.slice(1, 48).eq(7).all().item<bool>());

    const at::Tensor sums = at::ones({45});
    pair_kernels()->add_pairs(static_cast<const uint32_t*>(found.const_data_ptr()), pairs, 50, 44,
                              sums.data_ptr<float>());
    EXPECT_LT(
        largest_difference(sums.slice(0, 0, 44), y.to(at::kDouble).sum(0).slice(0, 0, 44) + 1),
        1e-6);
    EXPECT_EQ(sums[44].item<float>(), 1);
  }
}

}  // namespace
}  // namespace scion
