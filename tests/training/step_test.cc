#include "scion/training/step.h"

#include <gtest/gtest.h>

#include "scion/selection/random_init.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

using scion::testing::small_config;

constexpr int64_t vocabulary = 9;

class Step : public ::testing::Test {
 protected:
  Step() {
    at::manual_seed(3);
    ModelConfig config = small_config("bias", "batch", 6);
    config.simple_joiner = true;
    model_ = std::make_unique<Transducer>(config, vocabulary);
    initialise(model_->registry(), "default", 1);
    batch_.features = at::randn({2, 150, config.features.columns()});
    batch_.feature_lengths = at::tensor({int64_t{150}, int64_t{100}});
    batch_.tokens = at::randint(1, vocabulary, {2, 6}, at::kLong);
    batch_.token_lengths = at::tensor({int64_t{6}, int64_t{4}});
    batch_.ids = {"a", "b"};
  }

  /// The step's losses, and every parameter's gradient.
  std::pair<StepLoss, std::map<std::string, at::Tensor>> run(const TrainConfig& config,
                                                             double warmed_up = 1) const {
    for (const Parameter& parameter : model_->registry().all())
      parameter.tensor.mutable_grad() = at::Tensor();
    const StepLoss loss = accumulate_gradients(*model_, batch_, config, Context(), warmed_up);
    std::map<std::string, at::Tensor> gradients;
    for (const Parameter& parameter : model_->registry().all())
      if (parameter.tensor.grad().defined())
        gradients[parameter.name] = parameter.tensor.grad().clone();
    return {loss, gradients};
  }

  std::unique_ptr<Transducer> model_;
  Batch batch_;
};

TEST_F(Step, ABandOfAllStatesIsTheExactLoss) {
  TrainConfig config;
  const auto [exact, exact_gradients] = run(config);
  config.loss = "pruned";
  config.prune_width = 100;
  config.simple_weight = 0;
  const auto [pruned, gradients] = run(config);
  EXPECT_NEAR(pruned.total, exact.total, 1e-3);
  EXPECT_NEAR(pruned.transducer, exact.transducer, 1e-3);
  for (const auto& [name, expected] : exact_gradients)
    EXPECT_LT((gradients.at(name) - expected).abs().max().item<double>(),
              1e-4 * (1 + expected.abs().max().item<double>()))
        << name;
}

TEST_F(Step, TheSimpleJoinerLearnsFromItsOwnLoss) {
  TrainConfig config;
  config.loss = "pruned";
  config.prune_width = 3;
  const auto [late, late_gradients] = run(config, 1);
  const auto [early, early_gradients] = run(config, 0);
  const double ctc = config.ctc_weight;
  EXPECT_NEAR(late.total, (1 - ctc) * (late.transducer + 0.5 * late.simple) + ctc * late.ctc, 1e-3);
  EXPECT_NEAR(early.total, (1 - ctc) * (0.1 * early.transducer + early.simple) + ctc * early.ctc,
              1e-3);
  for (const char* name : {"simple_joiner.encoder.weight", "simple_joiner.predictor.bias"}) {
    // The pruned loss knows nothing of these heads: their gradient doubles with the weight.
    EXPECT_GT(late_gradients.at(name).abs().max().item<double>(), 1e-4) << name;
    EXPECT_TRUE(early_gradients.at(name).allclose(2 * late_gradients.at(name), 1e-4, 1e-6)) << name;
  }
}

}  // namespace
}  // namespace scion
