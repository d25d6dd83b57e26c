#include "scion/nn/initialise.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

double deviation(const Registry& registry, const std::string& name) {
  return registry.find(name)->tensor.std(false).item<double>();
}

TEST(Initialise, HasTheDeviationsOfTheFormulas) {
  ModelConfig config = testing::small_config();
  config.conformer.width = 64;
  config.conformer.feed_forward = 256;
  config.conformer.head_width = 32;
  Transducer model(config, 40);
  const std::string linear = "encoder.layers.0.feed_forward1.linear1.weight";  // 64 → 256
  const std::string stacked = "encoder.layers.0.attention.in.weight";          // 64 → 3 × 64
  initialise(model.registry(), "xavier", 1);
  EXPECT_NEAR(deviation(model.registry(), linear), std::sqrt(2.0 / (64 + 256)), 0.002);
  EXPECT_NEAR(deviation(model.registry(), stacked), std::sqrt(2.0 / (64 + 64)), 0.002);
  initialise(model.registry(), "he", 1);
  EXPECT_NEAR(deviation(model.registry(), linear), std::sqrt(2.0 / 64), 0.004);
  initialise(model.registry(), "default", 1);
  EXPECT_NEAR(deviation(model.registry(), linear), 1 / std::sqrt(3.0 * 64), 0.002);
  EXPECT_GT(deviation(model.registry(), "encoder.layers.0.feed_forward1.linear1.bias"), 0);
  EXPECT_NEAR(deviation(model.registry(), "predictor.embedding"), 1, 0.1);
  EXPECT_THROW(initialise(model.registry(), "xavire", 1), UserError);
}

TEST(Initialise, DependsOnSeedAndNameOnly) {
  ModelConfig deeper = testing::small_config();
  deeper.conformer.layers = 3;
  Transducer a(testing::small_config(), 7), b(deeper, 7);
  initialise(a.registry(), "xavier", 4);
  initialise(b.registry(), "xavier", 4);
  for (const Parameter& parameter : a.registry().all())
    EXPECT_TRUE(at::equal(parameter.tensor, b.registry().find(parameter.name)->tensor))
        << parameter.name;
  initialise(b.registry(), "xavier", 5);
  EXPECT_FALSE(at::equal(a.joiner().output().weight, b.joiner().output().weight));
}

}  // namespace
}  // namespace scion
