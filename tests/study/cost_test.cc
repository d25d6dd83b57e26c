#include "scion/study/cost.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scion/core/files/file.h"
#include "scion/study/runs.h"
#include "tests/core/temporary_folder.h"
#include "tests/training/tiny_run.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Minutes of runs in one phase; the others start after the first one where `after_first`.
StudyCost planned(const std::vector<double>& seconds, int64_t jobs, bool after_first) {
  StudyCost cost;
  cost.jobs = jobs;
  for (size_t i = 0; i < seconds.size(); ++i)
    cost.planned.push_back(
        {0, 0, seconds[i], after_first && i > 0 ? std::optional<size_t>(0) : std::nullopt});
  return cost;
}

TEST(Cost, RunsShareTheirSlots) {
  EXPECT_EQ(planned({10, 10, 10}, 1, false).elapsed_seconds_left(), 30);
  EXPECT_EQ(planned({10, 10, 10}, 2, false).elapsed_seconds_left(), 20);
  EXPECT_EQ(planned({}, 2, false).elapsed_seconds_left(), 0);
}

TEST(Cost, StudentsStartAfterTheirTeacher) {
  EXPECT_EQ(planned({60, 10, 10}, 2, true).elapsed_seconds_left(), 70);
  StudyCost cost = planned({60, 10, 10}, 2, true);
  cost.planned[1].after.reset();  // a random student trains beside the teacher
  EXPECT_EQ(cost.elapsed_seconds_left(), 70);
  cost.planned[2].after.reset();
  EXPECT_EQ(cost.elapsed_seconds_left(), 60);
}

TEST(Cost, ATeacherMayTakeSeveralPlaces) {
  StudyCost cost = planned({60, 10, 10}, 2, false);
  cost.planned[0].places = 2;
  EXPECT_EQ(cost.elapsed_seconds_left(), 70);
  cost = planned({10, 60, 10}, 3, false);
  cost.planned[1].places = 2;
  EXPECT_EQ(cost.elapsed_seconds_left(), 60);
}

TEST(Cost, APhaseStartsWhenTheOneBeforeHasEnded) {
  StudyCost cost = planned({10, 30, 10}, 2, false);
  cost.planned[2].phase = 1;
  EXPECT_EQ(cost.elapsed_seconds_left(), 40);
}

// One teacher, a random and a selected arm, two seeds, three epochs of a tiny model.
class TinyStudy : public ::testing::Test {
 protected:
  TinyStudy() {
    recipe_.teacher = recipe_.student = testing::tiny_run(folder_.path());
    recipe_.teacher.train.epochs = 3;
    recipe_.teachers = {{1, ""}};
    recipe_.arms = {{.name = "random", .init = "xavier", .run = recipe_.student},
                    {.name = "selected", .rules = "paper", .run = recipe_.student}};
    recipe_.budgets = {{"full", 3, {3}}};
    recipe_.sets = {{.name = "dev", .manifest = recipe_.student.data.train.front()}};
  }
  // Makes the run in `directory` look as if it had trained at `speed` seconds of audio per second.
  void make_run(const fs::path& directory, double epochs, double speed, double epoch_audio) {
    fs::create_directories(directory);
    write_file(
        directory / "updates.jsonl",
        nlohmann::json{{"epoch", epochs}, {"seconds", epochs * epoch_audio / speed}}.dump() + "\n");
    if (epochs == 3) write_file(directory / "model.safetensors", "");
  }
  const TemporaryFolder folder_;
  const fs::path out_ = folder_ / "study";
  Recipe recipe_;
};

TEST_F(TinyStudy, CountsTheRunsOfEveryArm) {
  const StudyCost cost = estimate_cost(recipe_, out_, false);
  ASSERT_EQ(cost.rows.size(), 3U);
  EXPECT_EQ(cost.rows[0].name, "teacher");
  EXPECT_EQ(cost.rows[2].name, "selected / full");
  EXPECT_EQ(cost.rows[2].runs, 2);
  EXPECT_EQ(cost.rows[2].left, 2);
  EXPECT_FALSE(cost.rows[2].from_runs);
  EXPECT_GT(cost.rows[2].speed, 0);
  EXPECT_GT(cost.elapsed_seconds_left(), 0);
  EXPECT_THAT(cost_text(cost), HasSubstr("5 runs, 0 of them finished"));
}

TEST_F(TinyStudy, TakesTheSpeedOfItsFinishedRuns) {
  const double epoch_audio = estimate_cost(recipe_, out_, false).rows[0].audio_seconds / 3;
  make_run(teacher_folder(out_, recipe_.teachers[0]), 3, 50, epoch_audio);
  const CostRow teacher = estimate_cost(recipe_, out_, false).rows[0];
  EXPECT_EQ(teacher.there, 1);
  EXPECT_EQ(teacher.left, 0);
  EXPECT_TRUE(teacher.from_runs);
  EXPECT_NEAR(teacher.speed, 50, 1e-6);
}

TEST_F(TinyStudy, CountsTheRestOfAStartedRun) {
  const double epoch_audio = estimate_cost(recipe_, out_, false).rows[0].audio_seconds / 3;
  make_run(out_ / "students/full/random/seed-1", 1, 20, epoch_audio);
  const CostRow random = estimate_cost(recipe_, out_, false).rows[1];
  EXPECT_EQ(random.there, 0);
  EXPECT_NEAR(random.left, 2 - 1.0 / 3, 1e-9);
  EXPECT_NEAR(random.speed, 20, 1e-6);
}

}  // namespace
}  // namespace scion
