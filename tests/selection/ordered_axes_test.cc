// Ordered axes keep their meaning: distances, frequencies, kernel taps, the predictor's context.
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/selection/kinds.h"

namespace scion {
namespace {

using namespace scion::testing;

class OrderedAxes : public ::testing::Test {
 protected:
  void select(const ModelConfig& student, const ModelConfig& teacher, const SelectionRules& rules) {
    teacher_ = std::make_unique<Transducer>(teacher, 7);
    randomise(*teacher_, 1);
    selection_ = select_student(*teacher_, student, rules, "xavier", 1);
  }
  at::Tensor of_teacher(const std::string& name) const {
    return teacher_->registry().find(name)->tensor.detach();
  }
  at::Tensor of_student(const std::string& name) const {
    return selection_.student->registry().find(name)->tensor.detach();
  }
  const Indices& chosen(const std::string& leaf) const {
    return selection_.plan.find_leaf(leaf)->indices;
  }

  std::unique_ptr<Transducer> teacher_;
  Selection selection_;
};

TEST_F(OrderedAxes, ADistanceHasTheTeachersBiasOfTheSameDistance) {
  const std::string name = "encoder.layers.0.attention.position_bias";
  for (const TapRule taps : {TapRule::crop, TapRule::even}) {
    select(small_config(), enlarged(small_config()), {.taps = taps});
    const Indices& heads = chosen("encoder.layers.0.attention.heads");
    for (int64_t distance = -4; distance <= 4; ++distance)
      for (int64_t head = 0; head < 2; ++head)
        EXPECT_EQ(of_student(name)[head][distance + 4].item<float>(),
                  of_teacher(name)[heads[static_cast<size_t>(head)]][distance + 6].item<float>());
  }
}

TEST_F(OrderedAxes, FrequenciesAreTheTeachersInPairs) {
  select(small_config("sinusoid"), enlarged(small_config("sinusoid")), named_rules("best"));
  const Indices& kept = chosen("encoder.frequencies");
  const std::string name = "encoder.layers.0.attention.position.weight";
  const Indices& heads = chosen("encoder.layers.0.attention.heads");
  const Indices& query = chosen("encoder.layers.0.attention.query");
  const double scale = selection_.plan.find_leaf("encoder.layers.0.attention.query")->scale;
  for (size_t i = 0; i < kept.size(); ++i) {
    const auto own = static_cast<int64_t>(i);
    EXPECT_EQ(of_student("encoder.frequencies")[own].item<float>(),
              of_teacher("encoder.frequencies")[kept[i]].item<float>());
    for (const int64_t phase : {0, 1})
      EXPECT_NEAR(
          of_student(name)[0][2 * own + phase].item<double>(),
          scale * of_teacher(name)[heads[0] * 10 + query[0]][2 * kept[i] + phase].item<double>(),
          1e-6);
  }
}

TEST_F(OrderedAxes, ThePublishedRuleKeepsTheStudentsFrequencies) {
  select(small_config("sinusoid"), enlarged(small_config("sinusoid")), named_rules("published"));
  EXPECT_TRUE(at::equal(
      of_student("encoder.frequencies"),
      Transducer(small_config("sinusoid"), 7).registry().find("encoder.frequencies")->tensor));
}

TEST_F(OrderedAxes, CausalKernelsKeepTheNewestTapsAndOthersTheCentre) {
  const std::string leaf = "encoder.layers.0.convolution.taps";
  const std::string name = "encoder.layers.0.convolution.depthwise.weight";
  for (const auto& [kind, first] : {std::pair{"causal", 4}, {"chunked", 2}, {"fast", 2}}) {
    const ModelConfig config = small_config_of_kind(kind);
    select(config, enlarged(config), named_rules("best"));
    EXPECT_EQ(chosen(leaf).front(), first) << kind;
    const int64_t channel = chosen("encoder.layers.0.convolution.channels")[1];
    EXPECT_TRUE(
        at::equal(of_student(name)[1][0], of_teacher(name)[channel][0].slice(0, first, first + 5)))
        << kind;
  }
}

TEST_F(OrderedAxes, AShorterContextKeepsTheNewestLabel) {
  ModelConfig student = small_config();
  student.predictor_context = 1;
  for (const TapRule taps : {TapRule::crop, TapRule::even}) {
    select(student, enlarged(small_config()), {.taps = taps});
    const Indices& width = chosen("predictor.width");
    for (size_t i = 0; i < width.size(); ++i)
      EXPECT_EQ(
          of_student("predictor.convolution.weight")[static_cast<int64_t>(i)][0][0].item<float>(),
          of_teacher("predictor.convolution.weight")[width[i]][0][1].item<float>());
  }
}

}  // namespace
}  // namespace scion
