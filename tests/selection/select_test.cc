#include "scion/selection/select.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/core/temporary_folder.h"
#include "tests/selection/kinds.h"

namespace scion {
namespace {

using namespace scion::testing;

std::string refusal(const ModelConfig& student, const SelectionRules& rules = {}) {
  Transducer teacher(enlarged(small_config()), 7);
  try {
    select_student(teacher, student, rules, "xavier", 1);
  } catch (const UserError& error) {
    EXPECT_FALSE(error.hint().empty());
    return std::string(error.what()) + " / " + error.hint() + "\n";
  }
  return "";
}

TEST(SelectStudent, RefusesAnotherKindByTheOptionsName) {
  const std::vector<std::pair<std::string, ModelConfig>> others = {
      {"model.conformer.positions", small_config("sinusoid")},
      {"model.conformer.convolution_norm", small_config("bias", "layer")},
      {"model.conformer.subsampling", small_config("bias", "batch", 6)},
      {"model.encoder: the teacher's is conformer, the student's lstm",
       small_config_of_kind("lstm")}};
  for (const auto& [expected, student] : others)
    EXPECT_NE(refusal(student).find(expected), std::string::npos) << refusal(student);
  ModelConfig student = small_config();
  student.features.high_frequency = 0;
  EXPECT_NE(refusal(student).find("model.features.high_frequency"), std::string::npos);
  student = small_config();
  student.predictor = "lstm";
  EXPECT_NE(refusal(student).find("model.predictor"), std::string::npos);
}

TEST(SelectStudent, RefusesALargerStudentWithBothShapesAndTheOption) {
  ModelConfig student = small_config();
  student.conformer.feed_forward = 41;
  const std::string message = refusal(student);
  for (const std::string part :
       {"parameter 'encoder.layers.0.feed_forward1.linear1.weight' (41, 16)", "(40, 24)",
        "leaf 'encoder.layers.0.feed_forward1.hidden': the student has 41 elements, the teacher 40",
        "model.conformer.feed_forward (41, the teacher's 40)"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
  student = small_config();
  student.conformer.layers = 6;
  EXPECT_NE(refusal(student).find("6 layers, the teacher 5"), std::string::npos);
  student = small_config();
  student.conformer.kernel = 11;
  EXPECT_NE(refusal(student).find("11 taps, the teacher 9"), std::string::npos);
}

TEST(SelectStudent, HeadsThatAreTooManyCanBeTakenApart) {
  ModelConfig student = small_config();
  student.conformer.heads = 4;
  EXPECT_NE(refusal(student).find("--heads spliced"), std::string::npos) << refusal(student);
  student.conformer.head_width = 5;
  SelectionRules spliced;
  spliced.heads = "spliced";
  // position_bias has one row a head, and the teacher has three.
  EXPECT_NE(refusal(student, spliced).find("position_bias"), std::string::npos);
  spliced.partial = {"*.position_bias"};
  EXPECT_EQ(refusal(student, spliced), "");
}

TEST(SelectStudent, TheHeadThatTheTeacherLacksIsNamed) {
  ModelConfig student = small_config();
  student.simple_joiner = true;
  EXPECT_NE(refusal(student).find("no counterpart 'simple_joiner.encoder.weight'"),
            std::string::npos);
  EXPECT_NE(refusal(student).find("--partial simple_joiner\n"), std::string::npos);
  EXPECT_EQ(refusal(student, {.partial = {"simple_joiner"}}), "");
}

TEST(SelectStudent, TheFileRecordsRulesAndPlan) {
  Transducer teacher(enlarged(small_config()), 7);
  const SelectionRules rules = named_rules("best");
  const Selection selection = select_student(teacher, small_config(), rules, "xavier", 1);
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "teacher.safetensors";
  save_model(file, teacher, "tokenizer", {{"trained", 1}});
  const nlohmann::json provenance =
      selection_provenance(file, {{"trained", 1}}, "best", rules, selection.plan)["selected"];
  EXPECT_EQ(provenance["rules"]["layers"], "even-last");
  EXPECT_EQ(provenance["teacher_provenance"]["trained"], 1);
  EXPECT_EQ(Plan::from_json(provenance["plan"], "file").to_json(), selection.plan.to_json());
}

TEST(CopiedParameters, AreThoseThatThePlanDoesNotLeaveRandom) {
  const Transducer model(small_config(), 7);
  Plan plan;
  for (const Parameter& parameter : model.registry().all())
    plan.tensors.push_back({.student = parameter.name, .action = TensorChoice::Action::cropped});
  plan.tensors.front().action = TensorChoice::Action::random;
  plan.tensors.back().action = TensorChoice::Action::copied;
  const std::set<std::string> names =
      copied_parameters(model.registry(), {{"selected", {{"plan", plan.to_json()}}}});
  EXPECT_EQ(names.size(), plan.tensors.size() - 1);
  EXPECT_EQ(names.count(plan.tensors.front().student), 0U);
  // A model that was trained is copied as a whole, whatever it began from.
  for (const nlohmann::json& provenance :
       {nlohmann::json(), nlohmann::json{{"trained", {{"epochs", 1}}}, {"start", "xavier"}}})
    EXPECT_EQ(copied_parameters(model.registry(), provenance).size(), plan.tensors.size());
}

}  // namespace
}  // namespace scion
