#include "scion/study/analysis/curves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace scion {
namespace {

using ::testing::ElementsAre;

ResultRow row(const std::string& arm, int64_t seed, double epoch, double wer) {
  ResultRow result;
  result.budget = "s", result.set = "test", result.arm = arm;
  result.seed = seed, result.epoch = epoch, result.wer = wer;
  result.update = static_cast<int64_t>(10 * epoch) + seed;  // seeds cut their epochs differently
  result.training_seconds = 4 * epoch + static_cast<double>(seed);
  result.compute_seconds = result.training_seconds + 100;
  return result;
}

TEST(Curves, MeansOverSeedsInOrderOfTraining) {
  const auto curves = learning_curves({row("b", 2, 2, 10), row("b", 1, 2, 14), row("a", 1, 1, 3),
                                       row("b", 1, 1, 30), row("b", 2, 1, 20)});
  ASSERT_EQ(curves.size(), 2);
  EXPECT_EQ(curves[0].arm, "b");
  EXPECT_THAT(curves[0].runs, ElementsAre(RunKey{0, 1}, RunKey{0, 2}));
  ASSERT_EQ(curves[0].points.size(), 2);
  const CurvePoint& last = curves[0].points[1];
  EXPECT_EQ(last.epoch, 2);
  EXPECT_EQ(last.wer, 12);
  EXPECT_DOUBLE_EQ(last.spread, std::sqrt(8));
  EXPECT_EQ(last.low, 10);
  EXPECT_EQ(last.high, 14);
  EXPECT_THAT(last.by_run, ElementsAre(14, 10));
  EXPECT_EQ(last.training_seconds, 9.5);
  EXPECT_EQ(last.compute_seconds, 109.5);
  EXPECT_EQ(find_curve(curves, "s", "test", "a"), &curves[1]);
  EXPECT_EQ(find_curve(curves, "s", "dev", "a"), nullptr);
  EXPECT_EQ(find_point(curves[0], 2), &last);
  EXPECT_EQ(find_point(curves[0], 3), nullptr);
  EXPECT_EQ(curves[1].points[0].spread, 0);
}

TEST(Curves, RunsAreTeachersTimesSeeds) {
  std::vector<ResultRow> rows;
  for (const auto& [teacher, seed, wer] :
       {std::tuple{1, 1, 10.0}, {1, 2, 12.0}, {2, 1, 20.0}, {2, 2, 22.0}}) {
    rows.push_back(row("a", seed, 1, wer));
    rows.back().teacher = teacher;
    rows.push_back(rows.back());
    rows.back().weights = Weights::averaged;
    rows.back().wer -= 4;
  }
  const auto curves = learning_curves(rows);
  ASSERT_EQ(curves[0].points.size(), 1);
  EXPECT_THAT(curves[0].points[0].by_run, ElementsAre(10, 12, 20, 22));
  EXPECT_EQ(curves[0].runs.back(), (RunKey{2, 2}));
  ASSERT_TRUE(curves[0].averaged.has_value());
  EXPECT_EQ(curves[0].averaged->wer, 12);
}

TEST(Curves, EvaluationsThatRunsLackAreLeftOut) {
  const auto curves = learning_curves({row("a", 1, 1, 9), row("a", 2, 1, 7), row("a", 1, 2, 5)});
  ASSERT_EQ(curves[0].points.size(), 1);
  EXPECT_EQ(curves[0].points[0].wer, 8);
}

TEST(Curves, Scales) {
  const auto curves = learning_curves({row("a", 1, 1, 9)});
  EXPECT_EQ(position(curves[0].points[0], Scale::epochs), 1);
  EXPECT_EQ(position(curves[0].points[0], Scale::training_time), 5);
  EXPECT_EQ(position(curves[0].points[0], Scale::compute), 105);
  Curve table = curves[0];
  table.points[0].training_seconds = 0;
  EXPECT_TRUE(has_scale(table, Scale::epochs));
  EXPECT_FALSE(has_scale(table, Scale::training_time));
}

}  // namespace
}  // namespace scion
