#include "scion/study/analysis/speedup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "scion/core/error.h"

namespace scion {
namespace {

// (epoch, WER); 10 s an epoch, `extra` s before.
Curve curve(const std::vector<std::pair<double, double>>& points, double extra = 0) {
  Curve result{"", "test", "arm", {{0, 1}}, {}, {}};
  for (const auto& [epoch, wer] : points) {
    CurvePoint point;
    point.epoch = epoch, point.wer = wer;
    point.training_seconds = 10 * epoch, point.compute_seconds = 10 * epoch + extra;
    result.points.push_back(point);
  }
  return result;
}

Crossing at_epoch(const Curve& baseline, double wer) {
  return find_crossing(baseline, wer, Scale::epochs);
}

std::vector<SpeedUp> paper_speed_up(const std::string& set) {
  const auto curves =
      learning_curves(read_result_table(SCION_SOURCE_DIR "/tests/golden/paper/table.csv"));
  return speed_up(*find_curve(curves, "", set, "selected"), *find_curve(curves, "", set, "random"));
}

// Expected in exact arithmetic: e.g. clean at epoch 20, 3.96 % between random's 4.15 at 20 and
// 3.73 at 30: (20 + 10 · 19/42) / 20 = 103/84.
TEST(SpeedUp, PaperTable) {
  const auto check = [](const std::vector<SpeedUp>& entries, const std::vector<double>& expected) {
    ASSERT_EQ(entries.size(), 6);
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(entries[i].epochs->value, expected[i], 1e-12);
      EXPECT_EQ(entries[i].epochs->bound, Bound::exact);
    }
  };
  const auto clean = paper_speed_up("clean"), other = paper_speed_up("other");
  check(clean, {422.0 / 141, 89.0 / 47, 103.0 / 84, 46.0 / 45});       // 2.99 1.89 1.23 1.02
  check(other, {684.0 / 265, 489.0 / 265, 191.0 / 154, 197.0 / 177});  // 2.58 1.85 1.24 1.11
  EXPECT_NEAR(100 * *clean[0].relative_reduction, 40.4, 0.05);
  EXPECT_NEAR(100 * *other[0].relative_reduction, 31.7, 0.05);
  EXPECT_FALSE(clean[0].training_time);
  EXPECT_FALSE(clean[0].students_to_pay_back);
  // At the end the selected model is worse: random was there before.
  EXPECT_EQ(clean[4].epochs->bound, Bound::exact);
  EXPECT_LT(clean[4].epochs->value, 1);
  EXPECT_EQ(clean[5].epochs->bound, Bound::at_least);
}

TEST(SpeedUp, InterpolatesBetweenEvaluations) {
  const Curve baseline = curve({{1, 80}, {2, 40}, {4, 20}, {8, 16}, {10, 15}});
  EXPECT_DOUBLE_EQ(at_epoch(baseline, 60).position, 1.5);
  EXPECT_DOUBLE_EQ(at_epoch(baseline, 40).position, 2);
  EXPECT_DOUBLE_EQ(at_epoch(baseline, 17).position, 7);
  EXPECT_EQ(at_epoch(baseline, 17).bound, Bound::exact);
  EXPECT_DOUBLE_EQ(find_crossing(baseline, 17, Scale::training_time).position, 70);
}

TEST(SpeedUp, ACrossingHasToHold) {
  // 30 is reached at 2, lost at 3, reached again between 3 and 4.
  const Curve baseline = curve({{1, 50}, {2, 28}, {3, 40}, {4, 20}, {5, 21}});
  EXPECT_DOUBLE_EQ(at_epoch(baseline, 30).position, 3.5);
  EXPECT_EQ(at_epoch(baseline, 30).bound, Bound::exact);
  // 20 at 4 does not hold at 5, and is not reached again.
  EXPECT_DOUBLE_EQ(at_epoch(baseline, 20).position, 5);
  EXPECT_EQ(at_epoch(baseline, 20).bound, Bound::at_least);
}

TEST(SpeedUp, BoundsAtTheEnds) {
  const Curve baseline = curve({{1, 50}, {2, 30}, {3, 20}});
  const Crossing last = at_epoch(baseline, 25);  // only the last evaluation is below
  EXPECT_DOUBLE_EQ(last.position, 2.5);
  EXPECT_EQ(last.bound, Bound::at_least);
  const Crossing never = at_epoch(baseline, 10);
  EXPECT_DOUBLE_EQ(never.position, 3);
  EXPECT_EQ(never.bound, Bound::at_least);
  const Crossing before = at_epoch(baseline, 60);
  EXPECT_DOUBLE_EQ(before.position, 1);
  EXPECT_EQ(before.bound, Bound::at_most);
  EXPECT_THROW(at_epoch(Curve{}, 1), UserError);
}

TEST(SpeedUp, TimeComputeAndPayBack) {
  const Curve baseline = curve({{1, 80}, {2, 60}, {4, 40}, {8, 20}, {9, 19}});
  // The arm took 30 s before training. At epoch 2 it is at 30 %, where the baseline is at 6.
  const auto entries = speed_up(curve({{0, 99}, {1, 60}, {2, 30}, {8, 25}}, 30), baseline);
  ASSERT_EQ(entries.size(), 3);  // nothing is said of the start
  EXPECT_DOUBLE_EQ(entries[1].epochs->value, 3);
  EXPECT_DOUBLE_EQ(entries[1].training_time->value, 3);
  EXPECT_DOUBLE_EQ(entries[1].compute->value, 60.0 / 50);
  EXPECT_DOUBLE_EQ(entries[1].students_to_pay_back->value, 30.0 / (60 - 20));
  EXPECT_DOUBLE_EQ(*entries[1].relative_reduction, 0.5);
  EXPECT_DOUBLE_EQ(entries[0].students_to_pay_back->value, 30.0 / (20 - 10));
  // At epoch 8 the baseline is ahead: the teacher never pays.
  EXPECT_DOUBLE_EQ(entries[2].epochs->value, 7.0 / 8);
  EXPECT_TRUE(std::isinf(entries[2].students_to_pay_back->value));
}

TEST(SpeedUp, PayBackOfALowerBoundIsAnUpperBound) {
  const auto entries = speed_up(curve({{1, 10}}, 40), curve({{1, 80}, {5, 20}}));
  EXPECT_EQ(entries[0].epochs->bound, Bound::at_least);
  EXPECT_DOUBLE_EQ(entries[0].epochs->value, 5);
  EXPECT_EQ(entries[0].students_to_pay_back->bound, Bound::at_most);
  EXPECT_DOUBLE_EQ(entries[0].students_to_pay_back->value, 1);
  // Never reached, and no later than the baseline's end: nothing can be said.
  EXPECT_FALSE(speed_up(curve({{5, 10}}, 40), curve({{1, 80}, {5, 20}}))[0].students_to_pay_back);
}

TEST(SpeedUp, StudentsToPayBack) {
  EXPECT_EQ(students_to_pay_back(350, 75, 25), 7);
  EXPECT_TRUE(std::isinf(students_to_pay_back(350, 25, 25)));
  EXPECT_TRUE(std::isinf(students_to_pay_back(350, 20, 25)));
}

}  // namespace
}  // namespace scion
