#include "scion/calibration/calibrated_student.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scion/calibration/activation_scores.h"
#include "scion/nn/initialise.h"
#include "tests/core/temporary_folder.h"
#include "tests/data/small_corpus.h"
#include "tests/model/small_models.h"
#include "tests/selection/doubled_model.h"

namespace scion {
namespace {

using nlohmann::json;
using testing::doubled;
using testing::small_config;

class CalibratedStudents : public ::testing::Test {
 protected:
  CalibratedStudents() : corpus_(6) {
    Transducer teacher(doubled(small_config()), small_tokenizer().size());
    initialise(teacher.registry(), "default", 9);
    save_model(folder_ / "teacher.safetensors", teacher, small_tokenizer().serialised(), {});
    teacher_ = load_model(folder_ / "teacher.safetensors");
  }
  CalibrationRequest request(const CalibrationConfig& config) const {
    return {config, {corpus_.manifest()}};
  }

  TemporaryFolder folder_;
  SmallCorpus corpus_;
  ModelFile teacher_;
};

TEST_F(CalibratedStudents, AreSelectedByActivationsOfTheirAudio) {
  StudentRecipe recipe{.rule_set = "paper", .rules = named_rules("paper")};
  recipe.rules.elements = ElementRule::activation;
  const CalibratedStudent made = make_calibrated_student(
      teacher_, small_config(), recipe, request({.compensate = Compensation::none}));
  EXPECT_EQ(made.summary->batch_norms, 2);
  const CalibrationAudio audio =
      read_calibration_audio({corpus_.manifest()}, teacher_, CalibrationConfig().seconds);
  const Plan plan = make_plan(teacher_.model->registry(), made.student.file.model->registry(),
                              recipe.rules, activation_scores(*teacher_.model, audio));
  EXPECT_EQ(made.student.plan.to_json(), plan.to_json());
}

TEST_F(CalibratedStudents, OfAFileAreThoseThatWereMadeAtOnce) {
  const StudentRecipe recipe{.rule_set = "best", .rules = named_rules("best")};
  const CalibratedStudent at_once =
      make_calibrated_student(teacher_, small_config(), recipe, request({}));
  save_student(folder_ / "plain.safetensors", make_student(teacher_, small_config(), recipe));
  Student later = load_student(folder_ / "plain.safetensors", teacher_);
  EXPECT_FALSE(later.file.provenance.calibrated);
  calibrate_student(teacher_, later, request({}));
  for (const Parameter& parameter : later.file.model->registry().all())
    EXPECT_TRUE(at::equal(parameter.tensor,
                          at_once.student.file.model->registry().find(parameter.name)->tensor))
        << parameter.name;
  EXPECT_EQ(later.file.provenance.to_json(), at_once.student.file.provenance.to_json());
  EXPECT_EQ(json::parse(later.file.provenance.calibrated->options).at("ridge"), 0.3);
}

}  // namespace
}  // namespace scion
