#include "scion/training/optimisers/adamw.h"

#include <gtest/gtest.h>

#include "tests/model/small_models.h"

namespace scion {
namespace {

// AdamW by its formula, in double precision.
TEST(AdamW, EqualsTheFormula) {
  Transducer model(testing::small_config(), 7);
  testing::randomise(model, 1);
  AdamWConfig config;
  config.clip_norm = 0;
  AdamW optimiser(model.registry(), config);
  const Parameter& parameter = *model.registry().find("joiner.output.weight");
  at::Tensor value = parameter.tensor.detach().to(at::kDouble).clone();
  at::Tensor m = at::zeros_like(value), v = at::zeros_like(value);
  for (int step = 1; step <= 4; ++step) {
    const at::Tensor gradient = at::randn_like(parameter.tensor).detach();
    parameter.tensor.mutable_grad() = gradient.clone();
    optimiser.step({.lr = 1e-2}, 0.5);
    const at::Tensor g = gradient.to(at::kDouble) * 0.5;
    value *= 1 - 1e-2 * config.weight_decay;
    m = config.beta1 * m + (1 - config.beta1) * g;
    v = config.beta2 * v + (1 - config.beta2) * g * g;
    value -= 1e-2 * (m / (1 - std::pow(config.beta1, step))) /
             ((v / (1 - std::pow(config.beta2, step))).sqrt() + 1e-8);
    EXPECT_LT((parameter.tensor - value).abs().max().item<double>(), 2e-6);
  }
}

// Copied parameters have their own rate and decay towards their first values instead of zero.
TEST(AdamW, MovesCopiedParametersTowardsTheirFirstValues) {
  Transducer model(testing::small_config(), 7);
  testing::randomise(model, 1);
  AdamWConfig config;
  config.clip_norm = 0;
  const Parameter& copied = *model.registry().find("joiner.output.weight");
  const Parameter& other = *model.registry().find("joiner.encoder_projection.weight");
  const at::Tensor first = copied.tensor.detach().clone(), drawn = other.tensor.detach().clone();
  AdamW optimiser(model.registry(), config, {copied.name}, /*anchored=*/true);
  const auto step_along = [&](double gradient, const UpdateRates& rates) {
    for (const Parameter* parameter : {&copied, &other})
      parameter->tensor.mutable_grad() = at::full_like(parameter->tensor, gradient).detach();
    optimiser.step(rates, 1);
  };
  // Equal gradients: AdamW's step is the rate itself.
  step_along(1, {.lr = 0.1, .copied_lr = 0.02, .anchor = 0.25});
  EXPECT_LT((copied.tensor - (first - 0.02)).abs().max().item<double>(), 1e-5);
  EXPECT_LT(
      (other.tensor - (drawn * (1 - 0.1 * config.weight_decay) - 0.1)).abs().max().item<double>(),
      1e-5);
  step_along(1, {.lr = 0.1, .copied_lr = 0.02, .anchor = 0.25});
  EXPECT_LT((copied.tensor - (first - 0.75 * 0.02 - 0.02)).abs().max().item<double>(), 1e-5);
  // Without an anchor it decays like all others.
  const at::Tensor before = copied.tensor.detach().clone();
  step_along(1, {.lr = 0.1, .copied_lr = 0.02});
  EXPECT_LT((copied.tensor - (before * (1 - 0.02 * config.weight_decay) - 0.02))
                .abs()
                .max()
                .item<double>(),
            1e-5);
}

TEST(AdamW, ClipsToTheNormAndReportsIt) {
  Transducer model(testing::small_config(), 7);
  AdamWConfig config;
  config.clip_norm = 1;
  AdamW optimiser(model.registry(), config);
  for (const at::Tensor& tensor : model.registry().trainable())
    tensor.mutable_grad() = at::ones_like(tensor).detach();
  const double norm = std::sqrt(static_cast<double>(model.registry().parameter_count()));
  EXPECT_NEAR(optimiser.step({}, 1), norm, 1e-3 * norm);
  EXPECT_EQ(model.joiner().output().weight.grad().abs().max().item<float>(), 0);
  SafeTensors state;
  optimiser.save(state);
  EXPECT_NEAR(state.at("first_moment.joiner.output.weight").max().item<double>(), 0.1 / norm, 1e-6);
}

}  // namespace
}  // namespace scion
