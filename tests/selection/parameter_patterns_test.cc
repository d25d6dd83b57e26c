#include "scion/selection/parameter_patterns.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/nn/initialise.h"
#include "tests/core/error_of.h"
#include "tests/selection/kinds.h"

namespace scion {
namespace {

using namespace scion::testing;

TEST(MatchesParameter, PartsAndPatterns) {
  const std::string name = "encoder.layers.10.attention.in.weight";
  for (const char* pattern :
       {"encoder", "encoder.layers", "encoder.layers.10", "encoder.layers.*.attention",
        "encoder.layers.*.attention.*", "*.attention", "*", "encoder.layers.1?.attention.in.weight",
        "*weight", "e*.in", "**.in.*"})
    EXPECT_TRUE(matches_parameter(pattern, name)) << pattern;
  for (const char* pattern : {"encoder.layers.1", "enc", "attention", "encoder.layers.?", "",
                              "encoder.layers.*.convolution", "*.bias", name.c_str() + 1})
    EXPECT_FALSE(matches_parameter(pattern, name)) << pattern;
}

TEST(RequireMatches, APatternForNothingGetsTheNearestName) {
  Transducer model(small_config(), 7);
  require_matches({"joiner", "encoder.layers.*.attention.*"}, model.registry());
  const std::string error = error_of<UserError>([&] {
    require_matches({"joiner", "encoder.layer.0"}, model.registry());
  });
  EXPECT_NE(error.find("encoder.layer.0"), std::string::npos);
  EXPECT_TRUE(error.ends_with(" | did you mean 'encoder.layers.0'?"));
}

TEST(Partial, LeavesNamedPartsRandomAndSaysSo) {
  Transducer teacher(enlarged(small_config()), 7);
  randomise(teacher, 6);
  const SelectionRules rules = {.partial = {"joiner", "encoder.layers.*.attention"}};
  const Selection selection = select_student(teacher, small_config(), rules, "xavier", 3);
  Transducer fresh(small_config(), 7);
  initialise(fresh.registry(), "xavier", 3);
  int64_t random = 0;
  for (const Parameter& parameter : selection.student->registry().all()) {
    const bool stays = parameter.name.starts_with("joiner.") ||
                       parameter.name.find(".attention.") != std::string::npos;
    if (stays) random += parameter.tensor.numel();
    EXPECT_EQ(stays, at::equal(parameter.tensor, fresh.registry().find(parameter.name)->tensor))
        << parameter.name;
  }
  EXPECT_EQ(plan_shares(selection.plan).random, random);
  const std::string text = selection.plan.to_text();
  EXPECT_NE(text.find("--partial joiner: 6 tensors"), std::string::npos) << text;
  EXPECT_NE(text.find("--partial encoder.layers.*.attention: 14 tensors"), std::string::npos);
}

// Random parts may be of another kind or larger than the teacher's.
TEST(Partial, WhatIsRandomNeedsNoCounterpart) {
  Transducer teacher(small_config(), 7);
  ModelConfig config = small_config();
  config.predictor = PredictorKind::lstm;
  config.conformer.feed_forward = 50;
  EXPECT_THROW(select_student(teacher, config, {.partial = {"*.feed_forward?"}}, "xavier", 1),
               UserError);
  const Selection selection =
      select_student(teacher, config, {.partial = {"*.feed_forward?", "predictor"}}, "xavier", 1);
  EXPECT_GT(plan_shares(selection.plan).random, 0);
  EXPECT_NE(selection.plan.find_leaf("predictor.width"), nullptr);  // the joiner reads it
}

}  // namespace
}  // namespace scion
