#include "scion/study/controls.h"

#include <gtest/gtest.h>

#include "tests/model/small_models.h"

namespace scion {
namespace {

double deviation_of(const Registry& registry, const std::string& name) {
  return registry.find(name)->tensor.std(false).item<double>();
}

TEST(Controls, ShufflingKeepsTheValuesAndRedrawingTheDeviation) {
  Transducer model(testing::small_config(), 7), shuffled(testing::small_config(), 7),
      redrawn(testing::small_config(), 7);
  for (Transducer* each : {&model, &shuffled, &redrawn}) testing::randomise(*each, 8);
  shuffle_inside_tensors(shuffled.registry(), 1);
  redraw_with_own_deviation(redrawn.registry(), 1);
  const std::string name = "encoder.layers.1.feed_forward2.linear1.weight";
  const at::Tensor original = model.registry().find(name)->tensor.flatten();
  const at::Tensor permuted = shuffled.registry().find(name)->tensor.flatten();
  EXPECT_FALSE(at::equal(original, permuted));
  EXPECT_TRUE(at::equal(std::get<0>(original.sort()), std::get<0>(permuted.sort())));
  EXPECT_NEAR(deviation_of(redrawn.registry(), name), deviation_of(model.registry(), name), 0.05);
  EXPECT_FALSE(at::equal(std::get<0>(original.sort()),
                         std::get<0>(redrawn.registry().find(name)->tensor.flatten().sort())));
}

}  // namespace
}  // namespace scion
