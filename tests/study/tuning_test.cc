#include "scion/study/tuning.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

TEST(Tuning, TakesTheBestAndTheLowerOfEqualRates) {
  Tuning tuning;
  tuning.trials = {{"a", "full", 2e-3, 15},
                   {"a", "full", 4e-3, 12},
                   {"a", "full", 8e-3, 12},
                   {"b", "full", 8e-3, 1}};
  EXPECT_DOUBLE_EQ(tuning.best("a", "full").value(), 4e-3);
  EXPECT_FALSE(tuning.best("a", "short").has_value());
}

TEST(Tuning, FilesOfOlderProgramsNameTheBudgetSchedule) {
  const TemporaryFolder folder;
  write_file(folder / "tuning.json",
             "{\"trials\": [{\"arm\": \"a\", \"schedule\": \"full\", \"peak_lr\": 0.002, "
             "\"dev_wer\": 12}]}");
  EXPECT_EQ(read_tuning(folder / "tuning.json").trials.at(0).budget, "full");
}

TEST(Tuning, AFrozenFileGivesTheTrialsThatWereWritten) {
  Tuning tuning;
  tuning.trials = {{"a", "full", 2e-3, 15.5}, {"b c", "short", 8e-3, 40.25}};
  const TemporaryFolder folder;
  write_file(folder / "tuning.json", tuning.to_json());
  const Tuning read = read_tuning(folder / "tuning.json");
  ASSERT_EQ(read.trials.size(), 2U);
  EXPECT_EQ(read.trials[1].arm, "b c");
  EXPECT_EQ(read.trials[1].budget, "short");
  EXPECT_EQ(read.trials[1].peak_lr, 8e-3);
  EXPECT_EQ(read.trials[1].dev_wer, 40.25);
  EXPECT_EQ(read.to_json(), tuning.to_json());
  write_file(folder / "tuning.json", "{\"trials\": [{\"arm\": 3}]}");
  EXPECT_THROW(read_tuning(folder / "tuning.json"), UserError);
}

// The file beside the main recipe has the rates of all tuned arms: every budget, one grid.
TEST(Tuning, TheMainJobsFrozenFileIsWhole) {
  const Recipe recipe = read_recipe(SCION_SOURCE_DIR "/recipes/an4/compare.toml");
  const Tuning tuning = read_tuning(recipe.tuning_file);
  const auto tuned = static_cast<size_t>(std::count_if(
      recipe.arms.begin(), recipe.arms.end(), [](const RecipeArm& arm) { return arm.tuned; }));
  EXPECT_EQ(tuned, recipe.arms.size() - 1);
  EXPECT_EQ(tuning.trials.size(), tuned * recipe.budgets.size() * recipe.grid.size());
  for (const RecipeArm& arm : recipe.arms)
    for (const RecipeBudget& budget : recipe.budgets)
      EXPECT_EQ(tuning.best(arm.name, budget.name).has_value(), arm.tuned)
          << arm.name << " " << budget.name;
}

}  // namespace
}  // namespace scion
