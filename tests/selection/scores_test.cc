#include "scion/selection/scores.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/core/error_of.h"
#include "tests/selection/kinds.h"

namespace scion {
namespace {

using namespace scion::testing;

// A first matrix writes the leaf, a second reads it in two gates.
Registry two_matrices() {
  Registry registry;
  const Axis hidden = Axis::leaf("hidden", 3), gates = Axis::concat({hidden, hidden});
  registry.add("one", {hidden, Axis::fixed(2)}, init::weight, true);
  registry.add("bias", {hidden}, init::zero, true);
  registry.add("two", {gates, hidden}, init::weight, true);
  return registry;
}

TEST(MagnitudeScores, AddUpSharesOfSquaredWeights) {
  const at::NoGradGuard no_grad;
  Registry registry = two_matrices();
  registry.find("one")->tensor.copy_(at::tensor({2.f, 0.f, 0.f, 1.f, 2.f, 1.f}).view({3, 2}));
  registry.find("bias")->tensor.fill_(100);
  registry.find("two")->tensor.select(0, 1).fill_(1);  // first gate, element 1
  registry.find("two")->tensor.select(0, 5).fill_(1);  // second gate, element 2
  const LeafScores scores = magnitude_scores(registry, Grain::leaf);
  ASSERT_EQ(scores.size(), 1);
  // one: 4, 1, 5 of 10. two by rows: 0, 3, 3 of 6; by columns: 2, 2, 2 of 6.
  const std::vector<double> expected = {0.4 + 1 / 3.0, 0.1 + 0.5 + 1 / 3.0, 0.5 + 0.5 + 1 / 3.0};
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(scores.at("hidden")[i], expected[i], 1e-9);
}

TEST(MagnitudeScores, DoNotDependOnATensorsScale) {
  const at::NoGradGuard no_grad;
  Transducer model(enlarged(small_config("sinusoid")), 7);
  randomise(model, 1);
  const LeafScores before = magnitude_scores(model.registry(), Grain::leaf);
  for (const Parameter& parameter : model.registry().all())
    if (parameter.tensor.dim() > 1) parameter.tensor.mul_(3);
  const LeafScores after = magnitude_scores(model.registry(), Grain::leaf);
  for (const auto& [leaf, values] : before)
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_NEAR(values[i], after.at(leaf)[i], 1e-6) << leaf;
}

class MagnitudeScoresOfEveryKind : public EveryKind {};

TEST_P(MagnitudeScoresOfEveryKind, ScoreEveryLeafOfEveryGrain) {
  Transducer model(teacher_config(), 7);
  randomise(model, 2);
  for (const Grain grain : {Grain::leaf, Grain::spliced, Grain::tensor}) {
    const LeafScores scores = magnitude_scores(model.registry(), grain);
    for (const Parameter& parameter : model.registry().all())
      for (const Axis& axis : plan_axes(parameter, grain))
        axis.visit_leaves([&](const Axis& leaf) {
          ASSERT_TRUE(scores.contains(leaf.name())) << leaf.name();
          EXPECT_EQ(static_cast<int64_t>(scores.at(leaf.name()).size()), leaf.size());
        });
  }
}

INSTANTIATE_TEST_SUITE_P(Models, MagnitudeScoresOfEveryKind, ::testing::ValuesIn(every_kind),
                         kind_name);

TEST(HeadOutputScores, AreTheSquaredWeightsThatReadAHead) {
  Transducer model(enlarged(small_config()), 7);
  randomise(model, 3);
  const LeafScores scores = head_output_scores(model.registry());
  EXPECT_EQ(scores.size(), 5);  // one a layer
  const at::Tensor out =
      model.registry().find("encoder.layers.1.attention.out.weight")->tensor.detach();
  const at::Tensor squares = out.to(at::kDouble).square().view({24, 3, 10});
  const at::Tensor expected = squares.sum(at::IntArrayRef{0, 2}) / squares.sum();
  for (int64_t head = 0; head < 3; ++head)
    EXPECT_NEAR(scores.at("encoder.layers.1.attention.heads")[static_cast<size_t>(head)],
                expected[head].item<double>(), 1e-9);
}

TEST(Scores, DecideWhatIsKept) {
  Transducer teacher(enlarged(small_config()), 7), student(small_config(), 7);
  randomise(teacher, 4);
  LeafScores scores;
  const std::string ranked = "encoder.layers.2.attention.heads", hidden = "predictor.width";
  scores[ranked] = {1, 5, 3};
  scores[hidden] = {0, 9, 0, 8, 7, 0, 6, 5, 4, 3, 2, 1, 1, 0.5};
  const Plan plan = make_plan(
      teacher.registry(), student.registry(),
      {.layers = "0,2", .elements = ElementRule::activation, .heads = HeadRule::ranked}, scores);
  EXPECT_EQ(plan.find_leaf("encoder.layers.1.attention.heads")->indices, (Indices{1, 2}));
  EXPECT_EQ(plan.find_leaf(hidden)->indices, (Indices{1, 3, 4, 6, 7, 8, 9, 10, 11, 12}));
  // Leaves without a score are chosen by magnitude.
  EXPECT_EQ(plan.find_leaf("joiner.width")->indices,
            highest(magnitude_scores(teacher.registry(), Grain::leaf).at("joiner.width"), 12));
}

TEST(Scores, OfAnotherTeacherAreRefused) {
  Transducer teacher(enlarged(small_config()), 7), student(small_config(), 7);
  const auto error = [&](const LeafScores& scores) {
    return error_of<UserError>([&] {
      make_plan(teacher.registry(), student.registry(), {.elements = ElementRule::activation},
                scores);
    });
  };
  EXPECT_NE(error({}).find("--calibration"), std::string::npos);
  EXPECT_NE(error({{"joiner.widht", {1}}}).find("did you mean 'joiner.width'"), std::string::npos);
  EXPECT_NE(error({{"joiner.width", {1, 2}}}).find("2 numbers for 'joiner.width', which has 18"),
            std::string::npos);
}

}  // namespace
}  // namespace scion
