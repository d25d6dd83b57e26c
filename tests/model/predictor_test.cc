#include "scion/model/predictor.h"

#include <gtest/gtest.h>

#include "tests/model/small_models.h"

namespace scion {
namespace {

using scion::testing::randomise;
using scion::testing::small_config_of_kind;

TEST(Lstm, EqualsTheFormula) {
  // i, f, o = sigmoid(W x + U h + b), g = tanh(…), c' = f c + i g, h' = o tanh(c').
  const at::NoGradGuard no_grad;
  Registry registry;
  const Scope scope(registry);
  Lstm lstm(scope, Axis::leaf("input", 5), Axis::leaf("hidden", 4));
  for (const Parameter& parameter : registry.all()) parameter.tensor.normal_();
  const at::Tensor x = at::randn({2, 6, 5});
  const at::Tensor w = registry.find("input.weight")->tensor,
                   u = registry.find("hidden.weight")->tensor, b = registry.find("bias")->tensor;
  LstmState state = lstm.start(2);
  const at::Tensor y = lstm.forward(x, state, ForwardContext());
  at::Tensor h = at::zeros({2, 4}), c = at::zeros({2, 4});
  for (int64_t t = 0; t < 6; ++t) {
    const auto gates = (at::matmul(x.select(1, t), w.t()) + at::matmul(h, u.t()) + b).split(4, 1);
    c = at::sigmoid(gates[1]) * c + at::sigmoid(gates[0]) * at::tanh(gates[2]);
    h = at::sigmoid(gates[3]) * at::tanh(c);
    EXPECT_LT((y.select(1, t) - h).abs().max().item<float>(), 1e-5);
  }
  EXPECT_LT((state.hidden - h).abs().max().item<float>(), 1e-5);
  EXPECT_LT((state.cell - c).abs().max().item<float>(), 1e-5);
}

class EveryPredictor : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryPredictor, StepsGiveTheRowsOfAWholePass) {
  const at::NoGradGuard no_grad;
  Transducer model(small_config_of_kind(GetParam()), 9);
  randomise(model, 31);
  const at::Tensor tokens = at::randint(1, 9, {3, 5}, at::kLong);
  const at::Tensor rows = model.predictor().forward(tokens, ForwardContext());
  ASSERT_EQ(rows.sizes(), (std::vector<int64_t>{3, 6, model.predictor().output_axis().size()}));
  PredictorState state = model.predictor().start(3, ForwardContext());
  for (int64_t u = 0; u <= 5; ++u) {
    EXPECT_LT((rows.select(1, u) - state.output).abs().max().item<float>(), 1e-5) << u;
    if (u < 5) state = model.predictor().next(state, tokens.select(1, u), ForwardContext());
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryPredictor, ::testing::Values("causal", "fast", "lstm"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace scion
