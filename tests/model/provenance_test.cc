#include "scion/model/provenance.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "tests/core/error_of.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

using nlohmann::json;

const char* const everything = R"({
  "trained": {"epochs": 20, "updates": 940, "seed": 3, "utterances": 948, "hours": 0.7123456789,
              "version": "0.1.0", "teacher": "t.safetensors", "teacher_checksum": "ab", "gpus": 2},
  "start": {
    "selected": {"teacher": "model.safetensors", "teacher_checksum": "0123", "rule_set": "best",
                 "rules": {"layers": "even-last"}, "plan": {"tensors": []}, "later": [1, 2],
                 "teacher_provenance": {"trained": {"epochs": 1, "updates": 2, "seed": 1,
                                                    "utterances": 4, "hours": 5.0},
                                        "start": "xavier"}},
    "calibrated": {"options": {"ridge": 0.3}, "summary": {"utterances": 12}},
    "control": "shuffled"},
  "imported": {"from": "elsewhere"}})";

TEST(Provenance, KeepsEveryByteIncludingKeysThatItDoesNotKnow) {
  for (const json& written : {json::parse(everything), json(),
                              json{{"start", "xavier"}, {"trained", json::parse(R"({"epochs": 1,
      "updates": 1, "seed": 1, "utterances": 1, "hours": 0.1})")}}})
    EXPECT_EQ(Provenance::from_json(written, "file").to_json().dump(), written.dump());
}

TEST(Provenance, IsReadIntoItsFields) {
  const Provenance provenance = Provenance::from_json(json::parse(everything), "file");
  EXPECT_EQ(provenance.trained->updates, 940);
  EXPECT_EQ(provenance.trained->teacher, "t.safetensors");
  ASSERT_NE(provenance.start, nullptr);
  EXPECT_EQ(provenance.start->control, "shuffled");
  EXPECT_EQ(provenance.start->selected->rule_set, "best");
  EXPECT_EQ(provenance.start->selected->teacher_provenance->start_name, "xavier");
  EXPECT_EQ(json::parse(provenance.start->calibrated->options).at("ridge"), 0.3);
  EXPECT_FALSE(provenance.empty());
  EXPECT_TRUE(Provenance().empty());
}

TEST(Provenance, AWrongTypeIsNamedWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"([1])", "file: is not an object"},
      {R"({"trained": 1})", "file.trained: is not an object"},
      {R"({"trained": {"epochs": "one"}})", "file.trained: 'epochs' is not a whole number"},
      {R"({"start": {"selected": {"teacher": 3}}})",
       "file.start.selected: 'teacher' is not a string"}};
  for (const auto& [text, expected] : cases) {
    const json root = json::parse(text);
    EXPECT_EQ(message_of<UserError>([&] { Provenance::from_json(root, "file"); }), expected);
  }
}

TEST(CopiedParameters, AreThoseThatThePlanDoesNotLeaveRandom) {
  const Transducer model(testing::small_config(), 7);
  const Registry& registry = model.registry();
  json tensors = json::array();
  for (const Parameter& parameter : registry.all())
    tensors.push_back({{"student", parameter.name}, {"action", "cropped"}});
  tensors.front()["action"] = "random";
  tensors.back()["action"] = "copied";
  Provenance provenance;
  provenance.selected.emplace().plan = json{{"tensors", tensors}}.dump();
  const std::set<std::string> names = copied_parameters(registry, provenance);
  EXPECT_EQ(names.size(), tensors.size() - 1);
  EXPECT_EQ(names.count(registry.all().front().name), 0U);
}

TEST(CopiedParameters, OfATrainedModelAreAll) {
  const Transducer model(testing::small_config(), 7);
  const size_t all = model.registry().all().size();
  EXPECT_EQ(copied_parameters(model.registry(), {}).size(), all);
  const Provenance trained{.trained = Provenance::Trained{.epochs = 1}, .start_name = "xavier"};
  EXPECT_EQ(copied_parameters(model.registry(), trained).size(), all);
}

}  // namespace
}  // namespace scion
