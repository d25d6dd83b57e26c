#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/selection/kinds.h"

namespace scion {
namespace {

using namespace scion::testing;

nlohmann::json some_plan() {
  Transducer teacher(enlarged(small_config()), 7), student(small_config(), 5);
  return make_plan(teacher.registry(), student.registry(), {.rescale = Rescaling::fan_in}, {},
                   {0, 3, -1, 2, 1})
      .to_json();
}

TEST(PlanJson, KeepsEverything) {
  const nlohmann::json json = some_plan();
  const Plan plan = Plan::from_json(json, "here");
  EXPECT_EQ(plan.to_json(), json);
  EXPECT_EQ(plan.find_leaf("vocabulary")->indices[2], -1);
  const PlanShares shares = plan_shares(plan);
  EXPECT_EQ(json["shares"]["random"], shares.random);
  EXPECT_EQ(shares.all(), json["shares"]["copied"].get<int64_t>() +
                              json["shares"]["cropped"].get<int64_t>() + shares.random);
}

TEST(PlanJson, PlansThatTheFuzzerStartsFromAreSound) {
  const auto folder = std::filesystem::path(SCION_SOURCE_DIR) / "fuzz/corpus/plan";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const std::string text = read_file(file.path());
    EXPECT_EQ(Plan::parse(text, file.path()).tensors.size(), 3);
    EXPECT_THROW(Plan::parse(text.substr(1), "cut off"), UserError);
  }
}

TEST(PlanJson, WhatIsBrokenIsNamed) {
  const auto error = [](const std::function<void(nlohmann::json&)>& harm) {
    nlohmann::json json = some_plan();
    harm(json);
    return error_of<UserError>([&] { Plan::from_json(json, "student.plan.json"); });
  };
  using Json = nlohmann::json;
  const std::vector<std::pair<std::string, std::function<void(Json&)>>> harms = {
      {"not a plan", [](Json& json) { json["format"] = "other"; }},
      {"not a plan", [](Json& json) { json = Json::array(); }},
      {"an older scion", [](Json& json) { json["format"] = "scion-plan-1"; }},
      {"lacks 'grain'", [](Json& json) { json.erase("grain"); }},
      {"'grain' is unknown: coarse", [](Json& json) { json["grain"] = "coarse"; }},
      {"layers: broken plan: is not an object", [](Json& json) { json["layers"] = 3; }},
      {"'encoder.layers' has -1", [](Json& json) { json["layers"]["encoder.layers"] = {-1}; }},
      {"'leaves' is not a list", [](Json& json) { json["leaves"] = "all"; }},
      {"leaves[1]: broken plan: lacks 'indices'",
       [](Json& json) { json["leaves"][1].erase("indices"); }},
      {"'indices' has 1.5", [](Json& json) { json["leaves"][0]["indices"][0] = 1.5; }},
      {"'indices' do not ascend", [](Json& json) { json["leaves"][0]["indices"][1] = 0; }},
      {"'indices' has -1", [](Json& json) { json["leaves"][0]["indices"][0] = -1; }},
      {"'indices' has 18446744073709551615",
       [](Json& json) { json["leaves"][0]["indices"][0] = ~uint64_t{0}; }},
      {"'scale' is not a positive number", [](Json& json) { json["leaves"][0]["scale"] = 0; }},
      {"tensors[2]: broken plan: 'action' is unknown: moved",
       [](Json& json) { json["tensors"][2]["action"] = "moved"; }},
      {"'student' is not a string", [](Json& json) { json["tensors"][0]["student"] = 3; }},
      {"'left' has 9999999", [](Json& json) { json["tensors"][0]["left"] = 9999999; }},
  };
  for (const auto& [expected, harm] : harms) {
    const std::string message = error(harm);
    EXPECT_NE(message.find("student.plan.json"), std::string::npos) << expected;
    EXPECT_NE(message.find(expected), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace scion
