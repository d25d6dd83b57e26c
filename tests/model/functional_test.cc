#include "scion/model/functional.h"

#include <gtest/gtest.h>

namespace scion {
namespace {

using Tensors = std::vector<at::Tensor>;
using Operation = std::function<at::Tensor(const Tensors&, const Context&)>;

// An operation of one pass, and what it stands for in single tensor operations.
struct Pair {
  std::string name;
  Tensors inputs;
  Operation fused, composed;
};

at::Tensor normal(at::IntArrayRef shape) { return at::randn(shape); }

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::layer_norm(x, {x.size(-1)}, weight, bias, 1e-5);
}

Pair norm_linear_pair() {
  return {"norm_linear",
          {normal({3, 47, 40}), normal({40}), normal({40}), normal({24, 40})},
          [](const Tensors& in, const Context& context) {
            return norm_linear(in[0], in[1], in[2], in[3], context);
          },
          [](const Tensors& in, const Context& context) {
            return linear(layer_norm(in[0], in[1], in[2]), in[3], {}, context);
          }};
}

Pair activate_pair(const std::string& activation) {
  return {"activate_with_bias, " + activation,
          {normal({3, 47, 41}), normal({41})},
          [=](const Tensors& in, const Context& context) {
            const at::Tensor h = context.bf16() ? in[0].to(at::kBFloat16) : in[0];
            return activate_with_bias(h, in[1], activation, 0.3, context);
          },
          [=](const Tensors& in, const Context& context) {
            return dropout(activate(in[0] + in[1], activation), 0.3, context);
          }};
}

Pair add_linear_pair() {
  return {"add_linear",
          {normal({3, 47, 24}), normal({3, 47, 40}), normal({24, 40}), normal({24})},
          [](const Tensors& in, const Context& context) {
            return add_linear(in[0], in[1], in[2], in[3], 0.5, 0.2, context);
          },
          [](const Tensors& in, const Context& context) {
            const at::Tensor y = dropout(linear(in[1], in[2], in[3], context), 0.2, context);
            return at::add(in[0], y, 0.5);
          }};
}

std::vector<Pair> pairs() {
  at::manual_seed(1);
  return {norm_linear_pair(), activate_pair("relu"), activate_pair("swish"), add_linear_pair()};
}

// The result, then the gradient of every input for one random upstream gradient.
Tensors value_and_gradients(const Operation& operation, const Tensors& inputs,
                            const Context& context) {
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

double distance(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

void expect_the_same(const Pair& pair, const Context& context, double tolerance) {
  const Context again = context;  // the same dropout keys
  const Tensors one = value_and_gradients(pair.fused, pair.inputs, context);
  const Tensors many = value_and_gradients(pair.composed, pair.inputs, again);
  ASSERT_EQ(one.size(), many.size());
  for (size_t i = 0; i < one.size(); ++i)
    EXPECT_LT(distance(one[i], many[i]), tolerance) << pair.name << ", tensor " << i;
}

TEST(FusedOperations, EqualTheirPartsInFloat) {
  for (const Pair& pair : pairs()) {
    expect_the_same(pair, Context::for_training(3, 1, false), 1e-5);
    expect_the_same(pair, Context::for_evaluation(false), 1e-5);
  }
}

TEST(FusedOperations, AreCloseToTheirPartsInBfloat16) {
  for (const Pair& pair : pairs()) expect_the_same(pair, Context::for_training(3, 1, true), 2e-2);
}

TEST(FusedOperations, GiveTheSameForAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  for (const Pair& pair : pairs()) {
    const Context context = Context::for_training(3, 1, false), again = context;
    at::set_num_threads(1);
    const Tensors one = value_and_gradients(pair.fused, pair.inputs, context);
    at::set_num_threads(3);
    const Tensors three = value_and_gradients(pair.fused, pair.inputs, again);
    for (size_t i = 0; i < one.size(); ++i)
      EXPECT_LT(distance(three[i], one[i]), 1e-6) << pair.name << ", tensor " << i;
  }
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace scion
