#include "scion/nn/cpu/kernels.h"

#include <gtest/gtest.h>

#include "scion/core/threads.h"

namespace scion {
namespace {

at::Tensor uniform(at::IntArrayRef shape) { return at::rand(shape) * 4 - 2; }
float* floats(const at::Tensor& x) { return x.mutable_data_ptr<float>(); }
Bf16* halves(const at::Tensor& x) { return static_cast<Bf16*>(x.mutable_data_ptr()); }

// Widths below, at and beyond a vector's.
constexpr int64_t kWidths[] = {3, 16, 37};
constexpr int64_t kRows = 5;

void expect_close(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_TRUE(at::allclose(a.to(at::kFloat), b.to(at::kFloat), 1e-5, 1e-5));
}

class EveryWidth : public ::testing::TestWithParam<int64_t> {
 protected:
  EveryWidth() {
    at::manual_seed(4);
    if (!processor().avx512) fast_ = &portable_model_kernels();
  }
  const ModelKernels* fast_ = &model_kernels();
  const ModelKernels& portable_ = portable_model_kernels();
};

TEST_P(EveryWidth, DropoutIsTheSameInEveryInstructionSet) {
  const at::Tensor x = uniform({kRows * GetParam()}), a = at::empty_like(x), b = at::empty_like(x);
  const DropoutMask mask{0x123456789ABCDEF0, 0.3, 77};
  fast_->plain.dropout(floats(x), mask, x.numel(), floats(a));
  portable_.plain.dropout(floats(x), mask, x.numel(), floats(b));
  EXPECT_TRUE(at::equal(a, b));
}

TEST_P(EveryWidth, LayerNormIsTheSameInEveryInstructionSet) {
  const Rows rows{kRows, GetParam()};
  const at::Tensor x = uniform({kRows, rows.width}), weight = uniform({rows.width});
  const auto run = [&](const ModelKernels& kernels) {
    const at::Tensor y = at::empty_like(x), statistics = at::empty({kRows, 2});
    const at::Tensor grad_x = at::empty_like(x), sums = at::zeros({2, rows.width});
    kernels.fp32.layer_norm(floats(x), floats(weight), floats(weight), rows, floats(y),
                            floats(statistics));
    kernels.fp32.layer_norm_backward(floats(y), floats(x), floats(statistics), floats(weight), rows,
                                     floats(grad_x), floats(sums), floats(sums) + rows.width);
    return at::cat({y.flatten(), statistics.flatten(), grad_x.flatten(), sums.flatten()});
  };
  expect_close(run(*fast_), run(portable_));
}

TEST_P(EveryWidth, ActivationsAreTheSameInEveryInstructionSet) {
  const Rows rows{kRows, GetParam()};
  const at::Tensor h = uniform({kRows, rows.width}).to(at::kBFloat16), bias = uniform({rows.width});
  const DropoutMask mask{99, 0.2, 5};
  for (const Activation activation : {Activation::none, Activation::relu, Activation::swish}) {
    const auto run = [&](const ModelKernels& kernels) {
      const at::Tensor y = at::empty_like(h), grad_h = at::empty_like(h);
      const at::Tensor sum = at::zeros_like(bias), out = at::empty({kRows, rows.width});
      kernels.bf16.activate(halves(h), floats(bias), activation, mask, rows, halves(y));
      kernels.bf16.activate_backward(
          halves(h), activation == Activation::relu ? halves(y) : halves(h), floats(bias),
          activation, mask, rows, halves(grad_h), floats(sum));
      kernels.bf16.add_residual(floats(out.zero_()), halves(y), floats(bias), 0.5, mask, rows,
                                floats(out));
      return at::cat(
          {y.to(at::kFloat).flatten(), grad_h.to(at::kFloat).flatten(), sum, out.flatten()});
    };
    const at::Tensor a = run(*fast_), b = run(portable_);
    EXPECT_TRUE(at::allclose(a, b, 1e-2, 1e-5));  // one step of bfloat16 where a rounding differs
  }
}

TEST(ModelKernels, RoundToBfloat16AsTheLibraryDoes) {
  at::manual_seed(5);
  at::Tensor x = at::randn({1000}) * at::randn({1000}).exp();
  x[3] = std::numeric_limits<float>::quiet_NaN();
  x[4] = std::numeric_limits<float>::infinity();
  const at::Tensor zero = at::zeros({1000}), y = at::empty({1000}, at::kBFloat16);
  for (const ModelKernels* kernels : {&portable_model_kernels(), &model_kernels()}) {
    kernels->bf16.add_residual_backward(floats(x), 1, {}, {1, 1000}, halves(y), floats(zero));
    EXPECT_TRUE(at::allclose(y, x.to(at::kBFloat16), 0, 0, true)) << kernels->name;
  }
}

TEST(ModelKernels, ReluLetsANanThrough) {
  const at::Tensor h = at::full({1, 20}, std::numeric_limits<float>::quiet_NaN());
  const at::Tensor bias = at::zeros({20}), y = at::empty_like(h);
  model_kernels().fp32.activate(floats(h), floats(bias), Activation::relu, {}, {1, 20}, floats(y));
  EXPECT_TRUE(y.isnan().all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(All, EveryWidth, ::testing::ValuesIn(kWidths));

}  // namespace
}  // namespace scion
