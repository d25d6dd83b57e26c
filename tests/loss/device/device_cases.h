// Helpers of the tests of the losses on a device.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

#include "scion/loss/lattice/checks.h"
#include "tests/loss/device/host_device.h"
#include "tests/loss/lattice_cases.h"

namespace scion::testing {

inline constexpr int64_t kMuchWorkspace = int64_t{1} << 30;

class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(11); }
};

struct LossAndGradients {
  at::Tensor loss;
  std::vector<at::Tensor> gradients;
};

/// f(leaves), and the gradients of Σ weights · f.
template <class F>
LossAndGradients differentiate(const F& f, const std::vector<at::Tensor>& inputs,
                               const at::Tensor& weights) {
  std::vector<at::Tensor> leaves;
  for (const at::Tensor& x : inputs) leaves.push_back(x.detach().clone().requires_grad_());
  const at::Tensor loss = f(leaves);
  loss.backward(weights);
  LossAndGradients result{loss.detach(), {}};
  for (const at::Tensor& x : leaves) result.gradients.push_back(x.grad());
  return result;
}

inline LatticeBatch batch_of(const Case& c, const TransducerLossOptions& options) {
  return check_lattice_batch(c.tokens.size(0), c.T, c.V, labels_of(c), rules_of(options));
}

/// Equal up to the rounding of sums in another order.
inline void expect_near(const LossAndGradients& found, const LossAndGradients& expected,
                        double tolerance) {
  EXPECT_TRUE(at::allclose(found.loss, expected.loss, tolerance, tolerance))
      << found.loss << expected.loss;
  for (size_t i = 0; i < found.gradients.size(); ++i) {
    const at::Tensor want = expected.gradients[i];
    EXPECT_LT(largest_difference(found.gradients[i], want),
              tolerance * (1 + want.to(at::kFloat).abs().max().item<double>()))
        << "tensor " << i;
  }
}

/// Encoder, predictor, weight and bias of width D.
inline std::vector<at::Tensor> random_joiner(const Case& c, int64_t D) {
  const int64_t B = c.tokens.size(0);
  return {at::randn({B, c.T, D}), at::randn({B, c.U + 1, D}), at::randn({c.V, D}) * 0.3,
          at::randn({c.V})};
}

}  // namespace scion::testing
