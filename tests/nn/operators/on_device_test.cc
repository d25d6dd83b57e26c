// The operators on a device whose kernels run on the CPU, compared with those of single tensor
// operations.
#include "scion/nn/operators/on_device.h"

#include <gtest/gtest.h>
#include <math.h>

#include "scion/nn/operators/composed.h"
#include "scion/nn/operators/fused_blocks.h"
#include "tests/core/cuda.h"
#include "tests/loss/device/host_device.h"

namespace scion {
namespace {

namespace layer_bodies {
#include "scion/nn/device/kernels.inc"
}  // namespace layer_bodies

using scion::testing::HostLauncher;
using scion::testing::Turns;

const ModelDevice& host_model_device(Turns turns = Turns::ascending) {
  const auto with = [](const ModelDeviceKernels& kernels) {
    return ModelDevice{kernels, [] { return static_cast<void*>(nullptr); }};
  };
  static const ModelDevice ascending =
      with(layer_bodies::LayerKernels<HostLauncher<Turns::ascending>>::table());
  static const ModelDevice descending =
      with(layer_bodies::LayerKernels<HostLauncher<Turns::descending>>::table());
  return turns == Turns::ascending ? ascending : descending;
}

using DeviceInputs = std::vector<at::Tensor>;
using DeviceForm =
    std::function<at::Tensor(const ModelDevice*, const DeviceInputs&, const ForwardContext&)>;

/// An operator over inputs: on the device, or from single tensor operations without one.
struct DeviceCase {
  std::string name;
  DeviceInputs inputs;
  DeviceForm form;
};

/// What norm_linear() gives on a device.
at::Tensor as_operand(const at::Tensor& h, const ModelDevice* device,
                      const ForwardContext& context) {
  if (!context.bf16()) return h;
  const at::Tensor rounded = h.to(at::kBFloat16);
  return device != nullptr ? rounded : rounded.to(at::kFloat);
}

const std::vector<int64_t> kValid = {41, 36, 1};

at::Tensor without_padding(const at::Tensor& y) {
  const at::Tensor valid = valid_frames(at::tensor(kValid), y.size(1)).to(y.device());
  return y.masked_fill(valid.logical_not().view({3, -1, 1}), 0);
}

DeviceCase norm_linear_case(int64_t width) {
  return {
      fmt::format("norm_linear of {}", width),
      {at::randn({3, 47, width}), at::randn({width}), at::randn({width}), at::randn({24, width})},
      [](const ModelDevice* device, const DeviceInputs& in, const ForwardContext& context) {
        return device != nullptr
                   ? on_device::norm_linear(*device, in[0], {in[1], in[2]}, {in[3]}, context)
                   : composed::norm_linear(in[0], {in[1], in[2]}, {in[3]}, context);
      }};
}

DeviceCase activate_case(Activation activation, int64_t width) {
  return {fmt::format("activation {} of {}", static_cast<int>(activation), width),
          {at::randn({3, 47, width}), at::randn({width})},
          [=](const ModelDevice* device, const DeviceInputs& in, const ForwardContext& context) {
            const at::Tensor h = as_operand(in[0], device, context);
            return device != nullptr
                       ? on_device::activate_with_bias(*device, h, in[1], activation, 0.3, context)
                       : composed::activate_with_bias(h, in[1], activation, 0.3, context);
          }};
}

DeviceCase add_linear_case(int64_t width) {
  return {fmt::format("add_linear to {}", width),
          {at::randn({3, 47, width}), at::randn({3, 47, 40}), at::randn({width, 40}),
           at::randn({width})},
          [](const ModelDevice* device, const DeviceInputs& in, const ForwardContext& context) {
            return device != nullptr
                       ? on_device::add_linear(*device, in[0], in[1], {in[2], in[3]}, 0.5, 0.2,
                                               context)
                       : composed::add_linear(in[0], in[1], {in[2], in[3]}, 0.5, 0.2, context);
          }};
}

DeviceCase convolution_case(Activation activation, int64_t taps, int64_t channels,
                            const ConvolutionReach& reach) {
  return {
      fmt::format("gated_convolution of {} taps, causal {}, chunk {}", taps, reach.causal,
                  reach.chunk),
      {at::randn({3, 41, 2 * channels}), at::randn({2 * channels}), at::randn({channels, 1, taps}),
       at::randn({channels}), at::randn({channels}), at::randn({channels})},
      [=](const ModelDevice* device, const DeviceInputs& in, const ForwardContext& context) {
        const BatchNorm norm{in[4], in[5],
                             at::full({channels}, 0.1, in[0].options().requires_grad(false)),
                             at::full({channels}, 0.8, in[0].options().requires_grad(false))};
        const Convolution convolution{in[2], in[3], reach};
        const at::Tensor h = as_operand(in[0], device, context), lengths = at::tensor(kValid);
        const at::Tensor y = device != nullptr
                                 ? on_device::gated_convolution(*device, h, in[1], convolution,
                                                                lengths, norm, activation, context)
                                 : composed::gated_convolution(h, in[1], convolution, lengths, norm,
                                                               activation, context);
        // The running statistics count as results.
        return at::cat({without_padding(y).flatten(),
                        norm.running_mean.detach().to(y.scalar_type()),
                        norm.running_variance.detach().to(y.scalar_type())});
      }};
}

DeviceCase table_case(int64_t heads, int64_t width, const AttentionSpan& span) {
  const int64_t all = heads * width;
  return {fmt::format("relative_attention, {} heads of {}, chunk {}", heads, width, span.chunk),
          {at::randn({3, 41, 3 * all}), at::randn({3 * all}), at::randn({heads, 11})},
          [=](const ModelDevice* device, const DeviceInputs& in, const ForwardContext& context) {
            const at::Tensor h = as_operand(in[0], device, context), lengths = at::tensor(kValid);
            return without_padding(
                device != nullptr
                    ? on_device::relative_attention(*device, h, in[1], in[2], lengths, span, 0.2,
                                                    context)
                    : composed::relative_attention(h, in[1], in[2], lengths, span, 0.2, context));
          }};
}

DeviceCase sinusoid_case(int64_t heads, int64_t width, const AttentionSpan& span) {
  const int64_t all = heads * width;
  return {fmt::format("sinusoid_attention, {} heads of {}, chunk {}", heads, width, span.chunk),
          {at::randn({3, 41, 3 * all}), at::randn({3 * all}), at::randn({81, all}),
           at::randn({all}), at::randn({all})},
          [=](const ModelDevice* device, const DeviceInputs& in, const ForwardContext& context) {
            const at::Tensor h = as_operand(in[0], device, context), lengths = at::tensor(kValid);
            return without_padding(
                device != nullptr
                    ? on_device::sinusoid_attention(*device, h, in[1], in[2], in[3], in[4], heads,
                                                    lengths, span, 0.2, context)
                    : composed::sinusoid_attention(h, in[1], in[2], in[3], in[4], heads, lengths,
                                                   span, 0.2, context));
          }};
}

std::vector<DeviceCase> device_cases() {
  at::manual_seed(1);
  return {norm_linear_case(40),
          norm_linear_case(131),
          activate_case(Activation::relu, 41),
          activate_case(Activation::swish, 136),
          activate_case(Activation::none, 4),
          add_linear_case(24),
          add_linear_case(23),
          convolution_case(Activation::swish, 31, 20, {}),
          convolution_case(Activation::relu, 5, 40, {.causal = true}),
          convolution_case(Activation::swish, 9, 33, {.chunk = 8}),
          table_case(2, 24, {}),
          table_case(3, 5, {.chunk = 8, .left = 16}),
          sinusoid_case(2, 24, {}),
          sinusoid_case(3, 5, {.chunk = 8, .left = 13})};
}

/// The result, then the gradient of every input for one random upstream gradient.
DeviceInputs outcome_of(const DeviceCase& c, const ModelDevice* device,
                        const ForwardContext& given) {
  // A context counts its dropout places.
  const ForwardContext context = given;  // NOLINT(performance-unnecessary-copy-initialization)
  DeviceInputs leaves;
  for (const at::Tensor& x : c.inputs) leaves.push_back(x.clone().requires_grad_());
  const at::Tensor y = c.form(device, leaves, context).to(at::kFloat);
  at::manual_seed(9);
  const at::Tensor upstream = at::randn(y.sizes()).to(y.device());
  DeviceInputs all = {y.detach()};
  for (const at::Tensor& g : torch::autograd::grad({(y * upstream).sum()}, leaves))
    all.push_back(g);
  return all;
}

void expect_as_composed(const ForwardContext& context, double tolerance) {
  for (const DeviceCase& c : device_cases()) {
    const DeviceInputs found = outcome_of(c, &host_model_device(), context);
    const DeviceInputs expected = outcome_of(c, nullptr, context);
    for (size_t i = 0; i < expected.size(); ++i) {
      const double error =
          ((found[i] - expected[i]).norm() / (expected[i].norm() + 1)).item<double>();
      EXPECT_LT(error, tolerance) << c.name << ", tensor " << i;
    }
  }
}

TEST(OnDevice, EqualsSingleOperationsInTraining) {
  expect_as_composed(ForwardContext::for_training(3, 1, false), 3e-5);
}

TEST(OnDevice, EqualsSingleOperationsInEvaluation) {
  expect_as_composed(ForwardContext::for_evaluation(false), 1e-5);
}

TEST(OnDevice, IsCloseToSingleOperationsInBfloat16) {
  expect_as_composed(ForwardContext::for_training(3, 1, true), 3e-2);
}

TEST(OnDevice, TurnsOfThreadsChangeNothing) {
  const ForwardContext context = ForwardContext::for_training(3, 1, true);
  for (const DeviceCase& c : device_cases()) {
    const DeviceInputs one = outcome_of(c, &host_model_device(), context);
    const DeviceInputs other = outcome_of(c, &host_model_device(Turns::descending), context);
    for (size_t i = 0; i < one.size(); ++i)
      EXPECT_TRUE(at::equal(one[i], other[i])) << c.name << ", tensor " << i;
  }
}

TEST(OnDevice, DropoutHasTheBitsOfTheCpus) {
  for (const auto& shape : std::vector<std::vector<int64_t>>{{3, 47, 40}, {7, 11, 13}, {1000}})
    for (const double rate : {0.1, 0.5}) {
      const at::Tensor x = at::randn(shape);
      const auto context = [] { return ForwardContext::for_training(3, 1, false); };
      const at::Tensor expected = dropout(x, rate, context());
      EXPECT_TRUE(at::equal(on_device::dropout(host_model_device(), x, rate, context()), expected));
      const at::Tensor leaf = x.clone().requires_grad_();
      on_device::dropout(host_model_device(), leaf, rate, context()).backward(at::ones(shape));
      EXPECT_TRUE(at::equal(leaf.grad() != 0, expected != 0));
    }
}

TEST(OnDevice, DropoutKeepsWhatTheCpusFusedOperatorsKeep) {
  const auto context = [] { return ForwardContext::for_training(5, 2, true); };
  const at::Tensor h = at::randn({3, 47, 40}).to(at::kBFloat16), bias = at::randn({40});
  const at::Tensor on_cpu = activate_with_bias(h, bias, Activation::relu, 0.3, context());
  const at::Tensor found =
      on_device::activate_with_bias(host_model_device(), h, bias, Activation::relu, 0.3, context());
  EXPECT_TRUE(at::equal(found, on_cpu));
}

// All cases once more with what nvcc has made of the bodies; without a GPU there is nothing to
// test.
TEST(OnDevice, OnAGpuEqualsTheBodiesOnTheProcessor) {
  if (!scion::testing::has_gpu()) GTEST_SKIP() << "no GPU";
  const at::Tensor x = at::randn({7, 1000, 13});
  const auto context = [] { return ForwardContext::for_training(3, 1, false); };
  EXPECT_TRUE(at::equal(dropout(x.cuda(), 0.1, context()).cpu(), dropout(x, 0.1, context())));
  const ModelDevice* const gpu = find_model_device(x.cuda());
  ASSERT_NE(gpu, nullptr);
  for (const bool bf16 : {false, true})
    for (DeviceCase c : device_cases()) {
      const ForwardContext training = ForwardContext::for_training(3, 1, bf16);
      const DeviceInputs expected = outcome_of(c, &host_model_device(), training);
      for (at::Tensor& input : c.inputs) input = input.cuda();
      const DeviceInputs found = outcome_of(c, gpu, training);
      for (size_t i = 0; i < expected.size(); ++i) {
        const at::Tensor error = (found[i].cpu() - expected[i]).norm() / (expected[i].norm() + 1);
        EXPECT_LT(error.item<double>(), bf16 ? 2e-2 : 1e-4) << c.name << ", tensor " << i;
      }
    }
}

}  // namespace
}  // namespace scion
