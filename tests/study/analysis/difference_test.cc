#include "scion/study/analysis/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/random.h"
#include "tests/core/error_of.h"

namespace scion {
namespace {

using ::testing::HasSubstr;

// 6 speakers × 5 utterances of 10 words; `errors` of them wrong on average.
ResultRow counted_row(const std::string& arm, int64_t seed, double epoch, int64_t errors) {
  ResultRow result;
  result.budget = "s", result.set = "test", result.arm = arm;
  result.seed = seed, result.epoch = epoch;
  Random random(7, RandomStream::split, static_cast<uint64_t>(seed), stable_hash(arm));
  for (int i = 0; i < 30; ++i) {
    result.utterances.push_back({"u" + std::to_string(i), "speaker" + std::to_string(i / 5),
                                 errors + random.below(3) - 1, 10});
    result.errors += result.utterances.back().errors;
    result.words += 10;
  }
  result.wer = 100.0 * static_cast<double>(result.errors) / static_cast<double>(result.words);
  return result;
}

std::vector<ResultRow> made_up_rows() {
  std::vector<ResultRow> rows;
  for (int64_t seed = 1; seed <= 3; ++seed)
    for (const double epoch : {1.0, 2.0})
      for (const auto& [arm, errors] :
           {std::pair{"random", 5}, {"selected", 3}, {"again", 5}, {"close", 5}})
        rows.push_back(counted_row(arm, seed, epoch, errors));
  for (ResultRow& r : rows)
    if (r.arm == "again") r.utterances = counted_row("random", r.seed, r.epoch, 5).utterances;
  return rows;
}

std::string user_error(const std::vector<ResultRow>& rows, const Comparison& comparison) {
  return message_of<UserError>([&] { compare_arms(rows, comparison); });
}

TEST(Difference, ComparesAcrossBudgets) {
  std::vector<ResultRow> rows = made_up_rows();
  const size_t known = rows.size();
  for (size_t i = 0; i < known; ++i)  // the same runs once more, in a budget of one epoch
    if (rows[i].epoch == 1) {
      rows.push_back(rows[i]);
      rows.back().budget = "short";
    }
  Comparison across{"short", "test", "random", "selected", {}};
  across.baseline_budget = "s";
  const ArmDifference result = compare_arms(rows, across, {0.95, 500, 1});
  EXPECT_EQ(result.comparison.epoch, 1);
  EXPECT_EQ(result.comparison.baseline_epoch, 2);
  const ArmDifference apart =
      compare_arms(rows, {"s", "test", "random", "selected", 1.0}, {0.95, 500, 1});
  EXPECT_EQ(result.arm_wer, apart.arm_wer);
  EXPECT_EQ(
      result.baseline_wer,
      compare_arms(rows, {"s", "test", "random", "selected", 2.0}, {0.95, 500, 1}).baseline_wer);
  EXPECT_TRUE(result.paired_seeds);
  across.baseline_epoch = 3;
  EXPECT_NE(user_error(rows, across).find("arm 'random' on 'test' in budget 's' at epoch 3"),
            std::string::npos);
}

TEST(Difference, FindsAGain) {
  const ArmDifference result =
      compare_arms(made_up_rows(), {"s", "test", "random", "selected", {}});
  EXPECT_EQ(result.comparison.epoch, 2);
  EXPECT_NEAR(result.difference.mean, result.arm_wer - result.baseline_wer, 1e-9);
  EXPECT_NEAR(result.difference.mean, -20, 2);
  EXPECT_LT(result.difference.interval.high, -15);
  EXPECT_LT(result.difference.p_value, 0.001);
  EXPECT_NEAR(result.relative(), -0.4, 0.05);
  EXPECT_TRUE(result.by_speaker);
  EXPECT_TRUE(result.paired_seeds);
  EXPECT_EQ(result.units, 6);
  EXPECT_EQ(result.baseline_runs, 3);
}

TEST(Difference, IdenticalArmsDoNotDiffer) {
  const ArmDifference result = compare_arms(made_up_rows(), {"s", "test", "random", "again", 1.0});
  EXPECT_EQ(result.difference.mean, 0);
  EXPECT_LE(result.difference.interval.low, 0);
  EXPECT_GE(result.difference.interval.high, 0);
  EXPECT_EQ(result.difference.p_value, 1);
}

TEST(Difference, SameSeedSameNumbers) {
  const Comparison comparison{"s", "test", "random", "close", {}};
  const ArmDifference a = compare_arms(made_up_rows(), comparison, {0.95, 500, 1});
  const ArmDifference b = compare_arms(made_up_rows(), comparison, {0.95, 500, 1});
  const ArmDifference c = compare_arms(made_up_rows(), comparison, {0.95, 500, 2});
  EXPECT_EQ(a.difference.interval.low, b.difference.interval.low);
  EXPECT_EQ(a.difference.p_value, b.difference.p_value);
  EXPECT_NE(a.difference.interval.low, c.difference.interval.low);
}

TEST(Difference, HolmAmongTheSecondary) {
  const Comparison gain{"s", "test", "random", "selected", {}};
  const Comparison none{"s", "test", "random", "again", {}};
  const Comparison worse{"s", "test", "selected", "close", {}};
  const Differences result = compare_arms(made_up_rows(), gain, {worse, none}, {0.95, 999, 1});
  EXPECT_EQ(result.primary->adjusted_p, result.primary->difference.p_value);
  EXPECT_DOUBLE_EQ(result.secondary[0].difference.p_value, 0.002);
  EXPECT_DOUBLE_EQ(result.secondary[0].adjusted_p, 0.004);
  EXPECT_EQ(result.secondary[1].adjusted_p, 1);
}

TEST(Difference, SeedsInCommonArePaired) {
  std::vector<ResultRow> rows = made_up_rows();
  std::erase_if(rows, [](const ResultRow& r) { return r.arm == "selected" && r.seed == 2; });
  const ArmDifference result = compare_arms(rows, {"s", "test", "random", "selected", {}});
  EXPECT_TRUE(result.paired_seeds);
  EXPECT_EQ(result.baseline_runs, 2);
  for (ResultRow& r : rows)
    if (r.arm == "selected") r.seed += 10;
  const ArmDifference unpaired = compare_arms(rows, {"s", "test", "random", "selected", {}});
  EXPECT_FALSE(unpaired.paired_seeds);
  EXPECT_EQ(unpaired.baseline_runs, 3);
  EXPECT_EQ(unpaired.arm_runs, 2);
}

// Errors that depend on the teacher by `by_teacher`, and hardly on the seed.
std::vector<ResultRow> rows_of_teachers(int64_t by_teacher, bool paired) {
  std::vector<ResultRow> rows;
  for (int64_t seed = 1; seed <= 4; ++seed) rows.push_back(counted_row("random", seed, 1, 50));
  for (int64_t teacher = 1; teacher <= 4; ++teacher)
    for (int64_t seed = 1; seed <= 4; ++seed) {
      if (paired && teacher != seed) continue;
      rows.push_back(counted_row("selected", seed, 1, 44 + by_teacher * (teacher % 2 ? 1 : -1)));
      rows.back().teacher = teacher;
    }
  return rows;
}

double width(const ArmDifference& difference) {
  return difference.difference.interval.high - difference.difference.interval.low;
}

TEST(Difference, TeachersAreDrawnToo) {
  const Comparison comparison{"s", "test", "random", "selected", {}};
  const ArmDifference alike = compare_arms(rows_of_teachers(0, false), comparison);
  const ArmDifference apart = compare_arms(rows_of_teachers(8, false), comparison);
  EXPECT_EQ(apart.teachers, 4);
  EXPECT_EQ(apart.seeds, 4);
  EXPECT_EQ(apart.baseline_runs, 4);
  EXPECT_EQ(apart.arm_runs, 16);
  EXPECT_FALSE(apart.paired_teachers);
  EXPECT_NEAR(alike.difference.mean, apart.difference.mean, 2);
  EXPECT_LT(width(alike), 10);
  EXPECT_GT(width(apart), 100);  // 4 teachers at ±80 points
  // With one of those teachers, the interval does not cover the others.
  std::vector<ResultRow> one = rows_of_teachers(8, false);
  std::erase_if(one, [](const ResultRow& r) { return r.teacher > 1; });
  EXPECT_LT(width(compare_arms(one, comparison)), 10);
  EXPECT_EQ(compare_arms(one, comparison).teachers, 1);
}

TEST(Difference, ATeacherForEverySeedIsDrawnWithIt) {
  const Comparison comparison{"s", "test", "random", "selected", {}};
  const ArmDifference paired = compare_arms(rows_of_teachers(8, true), comparison);
  EXPECT_TRUE(paired.paired_teachers);
  EXPECT_EQ(paired.teachers, 4);
  EXPECT_EQ(paired.arm_runs, 4);
  EXPECT_GT(width(paired), 100);
  EXPECT_LT(width(compare_arms(rows_of_teachers(0, true), comparison)), 10);
}

TEST(Difference, TwoArmsOfTheSameTeachersShareThem) {
  std::vector<ResultRow> rows = rows_of_teachers(8, false);
  for (const ResultRow& row : rows_of_teachers(8, false)) {
    if (row.teacher == 0) continue;
    rows.push_back(row);
    rows.back().arm = "other";
    for (UtteranceErrors& utterance : rows.back().utterances) utterance.errors -= 2;
  }
  const ArmDifference result = compare_arms(rows, {"s", "test", "selected", "other", {}});
  EXPECT_NEAR(result.difference.mean, -20, 1e-9);
  EXPECT_LT(width(result), 1e-9);  // what the teachers do to both cancels
  // A teacher without one of its seeds cannot be drawn.
  std::erase_if(rows, [](const ResultRow& r) { return r.teacher == 3 && r.seed == 2; });
  EXPECT_THAT(user_error(rows, {"s", "test", "random", "selected", {}}),
              HasSubstr("not all combinations"));
}

TEST(Difference, AveragedWeightsAreComparedByThemselves) {
  std::vector<ResultRow> rows = made_up_rows();
  const size_t count = rows.size();
  for (size_t i = 0; i < count; ++i) {
    if (rows[i].epoch < 2) continue;
    rows.push_back(rows[i]);
    rows.back().weights = Weights::averaged;
    if (rows[i].arm == "selected")
      for (UtteranceErrors& utterance : rows.back().utterances) utterance.errors -= 1;
  }
  const Comparison raw{"s", "test", "random", "selected", {}};
  Comparison averaged = raw;
  averaged.weights = Weights::averaged;
  EXPECT_NEAR(compare_arms(rows, averaged).difference.mean,
              compare_arms(rows, raw).difference.mean - 10, 1e-9);
  averaged.epoch = 1;
  EXPECT_EQ(user_error(rows, averaged),
            "no results of arm 'random' on 'test' in budget 's' at epoch 1 with averaged weights");
}

TEST(Difference, UtterancesWhereASpeakerIsUnknown) {
  std::vector<ResultRow> rows = made_up_rows();
  for (ResultRow& r : rows) r.utterances[0].speaker.clear();
  const ArmDifference result = compare_arms(rows, {"s", "test", "random", "selected", {}});
  EXPECT_FALSE(result.by_speaker);
  EXPECT_EQ(result.units, 30);
}

TEST(Difference, Errors) {
  std::vector<ResultRow> rows = made_up_rows();
  EXPECT_EQ(user_error(rows, {"s", "test", "random", "other", {}}),
            "no results of arm 'other' on 'test' in budget 's'");
  EXPECT_EQ(user_error(rows, {"s", "test", "random", "selected", 9.0}),
            "no results of arm 'random' on 'test' in budget 's' at epoch 9");
  rows[1].utterances.pop_back();  // seed 1, epoch 1, selected
  EXPECT_THAT(user_error(rows, {"s", "test", "random", "selected", 1.0}),
              HasSubstr("has 29 utterances where the other results have 30"));
  rows[1].utterances.back().words = 11;
  EXPECT_THAT(user_error(rows, {"s", "test", "random", "selected", 1.0}),
              HasSubstr("utterance 'u28' of arm 'selected'"));
  rows[1].utterances.clear();
  EXPECT_THAT(user_error(rows, {"s", "test", "random", "selected", 1.0}),
              HasSubstr("have no errors by utterance (seed 1)"));
}

}  // namespace
}  // namespace scion
