#include "scion/model/model_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/model/small_models.h"

namespace scion {
namespace {

// Layers have leaves with the same last name, which are different leaves.
TEST(ModelJson, TellsLeavesApartByTheirFullNames) {
  ModelFile file;
  file.model = std::make_unique<Transducer>(testing::small_config(), 7);
  std::set<std::string> axes;
  const nlohmann::json json = model_json(file);
  for (const auto& tensor : json.at("tensors"))
    if (tensor.at("name").get<std::string>().ends_with("feed_forward1.linear1.bias"))
      axes.insert(tensor.at("axes"));
  EXPECT_EQ(axes, (std::set<std::string>{"encoder.layers.0.feed_forward1.hidden(24)",
                                         "encoder.layers.1.feed_forward1.hidden(24)"}));
}

TEST(ModelText, ShortensNamesAndAddsUpTheParts) {
  ModelFile file;
  file.model = std::make_unique<Transducer>(testing::small_config(), 7);
  const std::string text = model_text(file);
  EXPECT_NE(text.find("  hidden(24), residual(16)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("vocabulary: 7 pieces"), std::string::npos);
  EXPECT_NE(text.find("\njoiner "), std::string::npos);
}

}  // namespace
}  // namespace scion
