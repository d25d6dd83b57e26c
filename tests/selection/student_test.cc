#include "scion/selection/student.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/selection/provenance_text.h"
#include "scion/text/tokenizer.h"
#include "tests/core/error_of.h"
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
  student.predictor = PredictorKind::lstm;
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
  spliced.heads = HeadRule::spliced;
  // position_bias has one row for each head, and the teacher has three.
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

TEST(SelectStudent, AnRnntStartsATdtWithoutItsDurationsAndTheOtherWayRound) {
  const ModelConfig rnnt = small_config();
  ModelConfig tdt = rnnt, other = rnnt;
  tdt.durations = {0, 1, 2};
  other.durations = {0, 1, 3};
  const auto chosen = [](const ModelConfig& teacher, const ModelConfig& student) {
    Transducer from(enlarged(teacher), 7);
    randomise(from, 3);
    Selection selection = select_student(from, student, {}, "xavier", 1);
    std::map<std::string, TensorChoice> choices;
    for (const TensorChoice& choice : selection.plan.tensors) choices[choice.student] = choice;
    EXPECT_EQ(choices.at("joiner.output.weight").action, TensorChoice::Action::cropped);
    return choices;
  };
  for (const ModelConfig& teacher : {rnnt, other}) {
    const auto choices = chosen(teacher, tdt);
    for (const char* name : {"joiner.durations.weight", "joiner.durations.bias"}) {
      EXPECT_EQ(choices.at(name).action, TensorChoice::Action::random) << name;
      EXPECT_EQ(choices.at(name).reason, "the teacher has no durations 0 1 2") << name;
      EXPECT_EQ(choices.at(name).left, choices.at(name).elements) << name;
    }
  }
  EXPECT_EQ(chosen(tdt, tdt).at("joiner.durations.weight").action, TensorChoice::Action::cropped);
  EXPECT_EQ(chosen(tdt, tdt).at("joiner.durations.bias").action, TensorChoice::Action::copied);
  EXPECT_FALSE(chosen(tdt, rnnt).contains("joiner.durations.weight"));
}

// A tokenizer of seven pieces.
std::string pieces() {
  return Tokenizer::train({"abcde"}, {.kind = PieceKind::character}).serialised();
}

class MakeStudent : public ::testing::Test {
 protected:
  MakeStudent() {
    save_model(folder_ / "teacher.safetensors", Transducer(enlarged(small_config()), 7), pieces(),
               {.trained = Provenance::Trained{.epochs = 4}});
    teacher_ = load_model(folder_ / "teacher.safetensors");
  }
  TemporaryFolder folder_;
  ModelFile teacher_;
  StudentRecipe recipe_{.rule_set = "best", .rules = named_rules("best")};
};

TEST_F(MakeStudent, RecordsTeacherRulesAndPlan) {
  const Student student = make_student(teacher_, small_config(), recipe_);
  const Provenance::Selected& selected = *student.file.provenance.selected;
  EXPECT_EQ(selected.teacher, "teacher.safetensors");
  EXPECT_EQ(selected.teacher_checksum, checksum(read_file(folder_ / "teacher.safetensors")));
  EXPECT_EQ(selected.teacher_provenance->trained->epochs, 4);
  EXPECT_EQ(nlohmann::json::parse(selected.rules).at("layers"), "even-last");
  EXPECT_EQ(Plan::parse(selected.plan, "file").to_json(), student.plan.to_json());
  EXPECT_EQ(student.file.tokenizer, pieces());
  const std::string text = provenance_text(student.file.provenance);
  EXPECT_NE(text.find("encoder.layers: the teacher's 0, 4\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  trained: 4 epochs"), std::string::npos) << text;
}

TEST(ProvenanceText, NamesAPlanThatItCannotRead) {
  Provenance provenance;
  provenance.selected.emplace().plan = R"({"format": "scion-plan-1"})";
  const std::string text = provenance_text(provenance);
  EXPECT_NE(text.find("the plan: written by an older scion"), std::string::npos) << text;
}

TEST_F(MakeStudent, IsLoadedAsItWasSaved) {
  const Student made = make_student(teacher_, small_config(), recipe_);
  save_student(folder_ / "student.safetensors", made);
  const Student loaded = load_student(folder_ / "student.safetensors", teacher_);
  EXPECT_EQ(loaded.plan.to_json(), made.plan.to_json());
  EXPECT_EQ(loaded.file.provenance.to_json(), made.file.provenance.to_json());
}

TEST_F(MakeStudent, IsNotLoadedWithAnotherTeacher) {
  save_student(folder_ / "student.safetensors", make_student(teacher_, small_config(), recipe_));
  save_model(folder_ / "other.safetensors", *teacher_.model, pieces(), {});
  const ModelFile other = load_model(folder_ / "other.safetensors");
  EXPECT_NE(error_of<UserError>([&] {
              load_student(folder_ / "student.safetensors", other);
            }).find("was selected from another file than"),
            std::string::npos);
  EXPECT_NE(error_of<UserError>([&] {
              load_student(folder_ / "other.safetensors", teacher_);
            }).find("was not selected from a teacher"),
            std::string::npos);
}

}  // namespace
}  // namespace scion
