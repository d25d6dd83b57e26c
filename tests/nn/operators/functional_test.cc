#include "scion/nn/operators/functional.h"

#include <gtest/gtest.h>

#include "scion/audio/fbank.h"
#include "scion/core/files/safetensors.h"
#include "scion/nn/operators/composed.h"
#include "scion/nn/operators/fused.h"

namespace scion {
namespace {

using Tensors = std::vector<at::Tensor>;
using Operation = std::function<at::Tensor(const Tensors&, const ForwardContext&)>;

std::string name_of(Activation activation) {
  return activation == Activation::relu ? "relu" : "swish";
}

// An operator's fused form and the same from single tensor operations.
struct Pair {
  std::string name;
  Tensors inputs;
  Operation fused, composed;
};

at::Tensor normal(at::IntArrayRef shape) { return at::randn(shape); }

Pair norm_linear_pair() {
  return {"norm_linear",
          {normal({3, 47, 40}), normal({40}), normal({40}), normal({24, 40})},
          [](const Tensors& in, const ForwardContext& context) {
            return fused::norm_linear(in[0], {in[1], in[2]}, {in[3]}, context);
          },
          [](const Tensors& in, const ForwardContext& context) {
            return composed::norm_linear(in[0], {in[1], in[2]}, {in[3]}, context);
          }};
}

Pair activate_pair(Activation activation) {
  return {"activate_with_bias, " + name_of(activation),
          {normal({3, 47, 41}), normal({41})},
          [=](const Tensors& in, const ForwardContext& context) {
            const at::Tensor h = context.bf16() ? in[0].to(at::kBFloat16) : in[0];
            return fused::activate_with_bias(h, in[1], activation, 0.3, context);
          },
          [=](const Tensors& in, const ForwardContext& context) {
            const at::Tensor h = context.bf16() ? in[0].to(at::kBFloat16).to(at::kFloat) : in[0];
            return composed::activate_with_bias(h, in[1], activation, 0.3, context);
          }};
}

Pair add_linear_pair() {
  return {"add_linear",
          {normal({3, 47, 24}), normal({3, 47, 40}), normal({24, 40}), normal({24})},
          [](const Tensors& in, const ForwardContext& context) {
            return fused::add_linear(in[0], in[1], {in[2], in[3]}, 0.5, 0.2, context);
          },
          [](const Tensors& in, const ForwardContext& context) {
            return composed::add_linear(in[0], in[1], {in[2], in[3]}, 0.5, 0.2, context);
          }};
}

const std::vector<int64_t> kLengths = {23, 19, 1};

// Outputs in padding are undefined.
at::Tensor valid_only(const at::Tensor& y) {
  return y.masked_fill(valid_frames(at::tensor(kLengths), y.size(1)).logical_not().view({3, -1, 1}),
                       0);
}

template <class Form>
Operation gated_convolution_with(const Form& form, Activation activation,
                                 const ConvolutionReach& reach) {
  return [=](const Tensors& in, const ForwardContext& context) {
    const BatchNorm norm{in[4], in[5], at::full({20}, 0.1), at::full({20}, 0.8)};
    const at::Tensor h = context.bf16() ? in[0].to(at::kBFloat16) : in[0];
    return valid_only(
        form(h, in[1], {in[2], in[3], reach}, at::tensor(kLengths), norm, activation, context));
  };
}

Pair gated_convolution_pair(Activation activation, int64_t taps, bool causal = false) {
  const ConvolutionReach reach{.causal = causal};
  return {fmt::format("gated_convolution, {}, {} taps, {}", name_of(activation), taps,
                      causal ? "causal" : "centred"),
          {normal({3, 23, 40}), normal({40}), normal({20, 1, taps}), normal({20}), normal({20}),
           normal({20})},
          gated_convolution_with(fused::gated_convolution, activation, reach),
          gated_convolution_with(composed::gated_convolution, activation, reach)};
}

template <class Form>
Operation attention_with(const Form& form, const AttentionSpan& span) {
  return [=](const Tensors& in, const ForwardContext& context) {
    const at::Tensor h = context.bf16() ? in[0].to(at::kBFloat16) : in[0];
    return valid_only(form(h, in[1], in[2], at::tensor(kLengths), span, 0.2, context));
  };
}

std::string name_of(const AttentionSpan& span) {
  return fmt::format("chunks of {} after {}", span.chunk, span.left);
}

Pair attention_pair(int64_t heads, int64_t width, const AttentionSpan& span = {}) {
  return {fmt::format("relative_attention, {} heads of {}, {}", heads, width, name_of(span)),
          {normal({3, 23, 3 * heads * width}), normal({3 * heads * width}), normal({heads, 11})},
          attention_with(fused::relative_attention, span),
          attention_with(composed::relative_attention, span)};
}

template <class Form>
Operation sinusoids_with(const Form& form, int64_t heads, const AttentionSpan& span) {
  return [=](const Tensors& in, const ForwardContext& context) {
    const at::Tensor h = context.bf16() ? in[0].to(at::kBFloat16) : in[0];
    return valid_only(
        form(h, in[1], in[2], in[3], in[4], heads, at::tensor(kLengths), span, 0.2, context));
  };
}

Pair sinusoids_pair(int64_t heads, int64_t width, const AttentionSpan& span = {}) {
  const int64_t all = heads * width;
  return {fmt::format("sinusoid_attention, {} heads of {}, {}", heads, width, name_of(span)),
          {normal({3, 23, 3 * all}), normal({3 * all}), normal({45, all}), normal({all}),
           normal({all})},
          sinusoids_with(fused::sinusoid_attention, heads, span),
          sinusoids_with(composed::sinusoid_attention, heads, span)};
}

template <class Form>
Operation subsample_with(const Form& form, int64_t stride, const at::Tensor& features) {
  return [=](const Tensors& in, const ForwardContext&) {
    return valid_only(
        form(features, {in[0], in[1], 2}, {in[2], in[3], stride}, at::tensor(kLengths)).flatten(2));
  };
}

Pair subsample_pair(int64_t channels1, int64_t channels2, int64_t kernel, int64_t stride) {
  const at::Tensor features = normal({3, (22 * stride + kernel - 1) * 2 + 4, 24});
  return {fmt::format("subsample, {} and {} channels, kernel {}", channels1, channels2, kernel),
          {normal({channels1, 1, 3, 3}), normal({channels1}),
           normal({channels2, channels1, kernel, kernel}), normal({channels2})},
          subsample_with(fused::subsample, stride, features),
          subsample_with(composed::subsample, stride, features)};
}

std::vector<Pair> pairs() {
  at::manual_seed(1);
  return {gated_convolution_pair(Activation::relu, 5),
          gated_convolution_pair(Activation::swish, 31),
          gated_convolution_pair(Activation::relu, 5, true),
          gated_convolution_pair(Activation::swish, 31, true),
          gated_convolution_pair(Activation::swish, 4, true),
          attention_pair(2, 24),
          attention_pair(3, 5),
          attention_pair(2, 24, {3, 4}),
          attention_pair(3, 5, {18, 0}),
          attention_pair(3, 5, {30, 60}),
          sinusoids_pair(2, 24),
          sinusoids_pair(3, 5),
          sinusoids_pair(2, 24, {3, 4}),
          sinusoids_pair(3, 5, {18, 0}),
          sinusoids_pair(3, 5, {1, 17}),
          sinusoids_pair(3, 5, {30, 60}),
          subsample_pair(8, 20, 3, 2),
          subsample_pair(16, 16, 5, 3),
          norm_linear_pair(),
          activate_pair(Activation::relu),
          activate_pair(Activation::swish),
          add_linear_pair()};
}

// The result, then the gradient of every input for one random upstream gradient.
Tensors value_and_gradients(const Operation& operation, const Tensors& inputs,
                            const ForwardContext& context) {
  Tensors leaves;
  for (const at::Tensor& input : inputs) {
    leaves.push_back(input.clone().set_requires_grad(input.is_floating_point()));
  }
  const at::Tensor y = operation(leaves, context).to(at::kFloat);
  at::manual_seed(9);
  const at::Tensor upstream = at::randn(y.sizes());
  Tensors all = {y.detach()}, wanted;
  for (const at::Tensor& leaf : leaves) {
    if (leaf.requires_grad()) wanted.push_back(leaf);
  }
  for (const at::Tensor& gradient : torch::autograd::grad({(y * upstream).sum()}, wanted)) {
    all.push_back(gradient);
  }
  return all;
}

// Relative, but for what is near zero: the gradient of a bias before a batch normalisation is.
double distance(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / (b.norm() + 1)).item<double>();
}

void expect_the_same(const Pair& pair, const ForwardContext& context, double tolerance) {
  // A copy for each, because a context counts its dropout places.
  const Tensors one = value_and_gradients(pair.fused, pair.inputs, ForwardContext(context));
  const Tensors many = value_and_gradients(pair.composed, pair.inputs, ForwardContext(context));
  ASSERT_EQ(one.size(), many.size());
  for (size_t i = 0; i < one.size(); ++i)
    EXPECT_LT(distance(one[i], many[i]), tolerance) << pair.name << ", tensor " << i;
}

TEST(FusedOperations, EqualTheirPartsInFloat) {
  for (const Pair& pair : pairs()) {
    expect_the_same(pair, ForwardContext::for_training(3, 1, false), 1e-5);
    expect_the_same(pair, ForwardContext::for_evaluation(false), 1e-5);
  }
}

TEST(FusedOperations, AreCloseToTheirPartsInBfloat16) {
  for (const Pair& pair : pairs())
    expect_the_same(pair, ForwardContext::for_training(3, 1, true), 2e-2);
}

TEST(FusedOperations, GiveTheSameForAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  for (const Pair& pair : pairs()) {
    at::set_num_threads(1);
    const Tensors one =
        value_and_gradients(pair.fused, pair.inputs, ForwardContext::for_training(3, 1, false));
    at::set_num_threads(3);
    const Tensors three =
        value_and_gradients(pair.fused, pair.inputs, ForwardContext::for_training(3, 1, false));
    for (size_t i = 0; i < one.size(); ++i)
      EXPECT_LT(distance(three[i], one[i]), 1e-6) << pair.name << ", tensor " << i;
  }
  at::set_num_threads(threads);
}

/// A random signal of 10777 samples, its filter banks and the result of `per_feature`.
SafeTensors nemo_features_golden() {
  return read_safetensors(SCION_SOURCE_DIR "/tests/golden/fbank/nemo.safetensors");
}

TEST(NormaliseUtterances, EqualsNemosPerFeature) {
  const SafeTensors golden = nemo_features_golden();
  // Padding may hold anything.
  const at::Tensor padded =
      at::constant_pad_nd(golden.at("features"), {0, 0, 0, 9}, 7).unsqueeze(0);
  const at::Tensor normalised =
      normalise_utterances(padded, at::tensor({golden.at("features").size(0)}));
  const at::Tensor difference =
      normalised[0].narrow(0, 0, golden.at("features").size(0)) - golden.at("normalised");
  EXPECT_LT(difference.abs().max().item<double>(), 1e-5);
}

TEST(NormaliseUtterances, FromSamplesEqualsNemo) {
  const SafeTensors golden = nemo_features_golden();
  const at::Tensor features = Fbank(nemo_features()).compute(golden.at("audio"));
  ASSERT_EQ(features.sizes(), golden.at("features").sizes());
  const at::Tensor normalised =
      normalise_utterances(features.unsqueeze(0), at::tensor({features.size(0)}));
  EXPECT_LT((normalised[0] - golden.at("normalised")).abs().max().item<double>(), 1e-4);
}

TEST(NormaliseUtterances, OneFrameAndNoneAreFinite) {
  const at::Tensor normalised =
      normalise_utterances(at::rand({2, 3, 4}), at::tensor({int64_t{1}, int64_t{0}}));
  EXPECT_TRUE(normalised.isfinite().all().item<bool>());
  EXPECT_TRUE(normalised[0][0].eq(0).all().item<bool>());
}

TEST(Dropout, DependsOnKeyAndPlaceOnly) {
  const at::Tensor x = at::ones({100, 100});
  const ForwardContext first = ForwardContext::for_training(1, 5, false),
                       again = ForwardContext::for_training(1, 5, false);
  const at::Tensor a = dropout(x, 0.25, first), b = dropout(x, 0.25, again);
  EXPECT_TRUE(at::equal(a, b));
  EXPECT_FALSE(at::equal(a, dropout(x, 0.25, first)));  // the next place
  EXPECT_FALSE(at::equal(a, dropout(x, 0.25, ForwardContext::for_training(1, 6, false))));
  EXPECT_NEAR((a == 0).to(at::kFloat).mean().item<float>(), 0.25, 0.02);
  EXPECT_NEAR(a.mean().item<float>(), 1, 0.03);
  EXPECT_TRUE(at::equal(dropout(x, 0.25, ForwardContext()), x));
}

TEST(Dropout, BackwardUsesTheSameMask) {
  const at::Tensor x = at::ones({50, 40}).set_requires_grad(true);
  const at::Tensor y = dropout(x, 0.4, ForwardContext::for_training(2, 1, false));
  y.sum().backward();
  EXPECT_TRUE(at::equal(x.grad(), y.detach()));
}

TEST(MaskedBatchNorm, EqualsBatchNormOfTheValidFramesAlone) {
  const at::Tensor x = at::randn({3, 7, 4});
  const at::Tensor valid = valid_frames(at::tensor(std::vector<int64_t>{7, 4, 2}), 7);
  const at::Tensor weight = at::randn({4}), bias = at::randn({4});
  at::Tensor mean = at::zeros({4}), variance = at::ones({4}), mean2 = at::zeros({4}),
             variance2 = at::ones({4});
  const at::Tensor y = masked_batch_norm(x, valid, {weight, bias, mean, variance},
                                         ForwardContext::for_training(1, 1, false));
  const at::Tensor rows = x.index({valid});
  const at::Tensor expected =
      at::batch_norm(rows, weight, bias, mean2, variance2, true, 0.1, 1e-5, false);
  EXPECT_LT((y.index({valid}) - expected).abs().max().item<float>(), 1e-5);
  EXPECT_LT((mean - mean2).abs().max().item<float>(), 1e-6);
  EXPECT_LT((variance - variance2).abs().max().item<float>(), 1e-6);
}

TEST(Linear, Bf16ProductsWorkWithoutABias) {
  const at::Tensor x = at::randn({3, 5, 32}).set_requires_grad(true);
  const at::Tensor weight = at::randn({16, 32}).set_requires_grad(true);
  const at::Tensor exact = linear(x, {weight}, ForwardContext::for_evaluation(false));
  const at::Tensor rounded = linear(x, {weight}, ForwardContext::for_evaluation(true));
  EXPECT_LT((exact - rounded).norm().item<float>() / exact.norm().item<float>(), 1e-2);
  rounded.sum().backward();
  EXPECT_TRUE(weight.grad().isfinite().all().item<bool>());
}

TEST(Linear, Bf16ProductsAreCloseInBothPasses) {
  const at::Tensor x = at::randn({3, 5, 32}).set_requires_grad(true),
                   weight = at::randn({16, 32}).set_requires_grad(true);
  const at::Tensor bias = at::randn({16}).set_requires_grad(true);
  const at::Tensor upstream = at::randn({3, 5, 16});
  const auto gradients = [&](bool bf16) {
    const at::Tensor y = linear(x, {weight, bias}, ForwardContext::for_evaluation(bf16));
    return torch::autograd::grad({(y * upstream).sum()}, {x, weight, bias});
  };
  const auto exact = gradients(false), rounded = gradients(true);
  for (size_t i = 0; i < 3; ++i)
    EXPECT_LT((exact[i] - rounded[i]).norm().item<float>() / exact[i].norm().item<float>(), 1e-2);
}

}  // namespace
}  // namespace scion
