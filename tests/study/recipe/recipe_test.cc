#include "scion/study/recipe/recipe.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/model/model_file.h"
#include "scion/study/runs.h"
#include "scion/study/tuning.h"
#include "scion/training/config/changed_options.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"
#include "tests/training/tiny_run.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
const fs::path an4_recipe = fs::path(SCION_SOURCE_DIR) / "recipes/an4/compare.toml";

TEST(Recipe, TheMainJobReads) {
  const Recipe recipe = read_recipe(an4_recipe);
  EXPECT_EQ(recipe.arms.size(), 3U);
  EXPECT_EQ(recipe.budgets.size(), 2U);
  EXPECT_EQ(recipe.sets.size(), 2U);
  EXPECT_TRUE(recipe.sets[1].corrupted);
  EXPECT_EQ(recipe.teacher.model.conformer.width, 192);
  EXPECT_EQ(recipe.student.model.conformer.width, 96);
  EXPECT_TRUE(fs::exists(recipe.teacher.data.train.at(0)));
  EXPECT_FALSE(recipe.checks.empty());
}

// What `make demo` runs: the same students, judged in the same way, from a teacher that is there.
TEST(Recipe, TheDemoIsTheMainJobWithAGivenTeacher) {
  const Recipe full = read_recipe(an4_recipe);
  const Recipe demo = read_recipe(an4_recipe.parent_path() / "demo.toml");
  EXPECT_EQ(demo.student.to_toml(), full.student.to_toml());
  EXPECT_EQ(demo.budget("full").epochs, full.budget("full").epochs);
  EXPECT_EQ(demo.budget("full").evaluate_epochs, full.budget("full").evaluate_epochs);
  ASSERT_EQ(demo.checks.size(), full.checks.size());
  for (size_t i = 0; i < demo.checks.size(); ++i) {
    EXPECT_EQ(demo.checks[i].kind, full.checks[i].kind);
    EXPECT_EQ(demo.checks[i].limit, full.checks[i].limit);
  }
  std::map<std::string, double> rates;
  for (const StudentRun& run : student_runs(full, "", read_tuning(full.tuning_file)))
    rates[run.name()] = run.peak_lr;
  const std::vector<StudentRun> runs = student_runs(demo, "", {});
  EXPECT_EQ(runs.size(), 6U);
  for (const StudentRun& run : runs) EXPECT_EQ(run.peak_lr, rates.at(run.name())) << run.name();

  const ModelFile teacher = load_model(demo.teachers.at(0).file);
  EXPECT_EQ(teacher.model->registry().parameter_count(),
            parameter_count(full.teacher.model, teacher.model->vocabulary()));
  const RunConfig made_by = read_run_config(an4_recipe.parent_path() / "teacher.toml");
  for (const OptionChange& change : changed_options(made_by, full.teacher))
    EXPECT_FALSE(change.learnt) << change.text();
  EXPECT_EQ(made_by.train.epochs, full.teacher.train.epochs);
}

TEST(Recipe, ReadsBackAsItIsWritten) {
  Recipe recipe = read_recipe(an4_recipe);
  recipe.seeds = 7;
  recipe.about = "quotes \"…\" and\nlines";
  const TemporaryFolder folder;
  write_file(folder / "again.toml", recipe.to_toml());
  const Recipe again = read_recipe(folder / "again.toml");
  EXPECT_EQ(again.to_toml(), recipe.to_toml());
  EXPECT_EQ(again.seeds, 7);
  EXPECT_EQ(again.about, recipe.about);
  EXPECT_EQ(again.sets.at(1).corruption.babble_speakers,
            recipe.sets.at(1).corruption.babble_speakers);
  EXPECT_EQ(again.teacher.to_toml(), recipe.teacher.to_toml());
  EXPECT_EQ(again.student.to_toml(), recipe.student.to_toml());
  EXPECT_EQ(again.checks.size(), recipe.checks.size());
  EXPECT_EQ(again.grid, recipe.grid);
}

std::string error_after(const std::string& from, const std::string& to) {
  std::string text = read_file(an4_recipe);
  const size_t found = text.find(from);
  EXPECT_NE(found, std::string::npos);
  text.replace(found, from.size(), to);
  const TemporaryFolder folder;
  write_file(folder / "recipe.toml", text);
  return error_of<UserError>([&] { read_recipe(folder / "recipe.toml"); });
}

TEST(Recipe, ATeacherTakesThePlacesOfItsThreads) {
  Recipe recipe = read_recipe(an4_recipe);
  recipe.jobs = 3;
  recipe.threads = 2;
  recipe.teacher_threads = 2;
  EXPECT_EQ(recipe.teacher_places(), 1);
  recipe.teacher_threads = 3;
  EXPECT_EQ(recipe.teacher_places(), 2);
  recipe.teacher_threads = 16;
  EXPECT_EQ(recipe.teacher_places(), 3);
}

TEST(Recipe, MistakesAreNamed) {
  EXPECT_NE(error_after("jobs = 2", "jobs = 0").find("study.jobs is 0"), std::string::npos);

  EXPECT_NE(
      error_after("baseline = \"xavier\"", "baseline = \"xavir\"").find("no arm is called 'xavir'"),
      std::string::npos);
  EXPECT_NE(error_after("primary_arm = \"best\"", "primary_arm = \"xavier\"")
                .find("'xavier' is its own baseline"),
            std::string::npos);
  EXPECT_NE(error_after("jobs = 2", "jbos = 2").find("did you mean 'jobs'"), std::string::npos);
  EXPECT_NE(error_after("rules = \"paper\"", "rules = \"papr\"").find("papr"), std::string::npos);
  EXPECT_NE(
      error_after("rules = \"best\"", "layers = \"evenlast\"").find("did you mean 'even-last'"),
      std::string::npos);
  EXPECT_NE(error_after("peak_lr = 2.5e-3", "peak_rl = 2.5e-3").find("peak_lr"), std::string::npos);
  EXPECT_NE(error_after("init = \"xavier\"", "init = \"xavier\"\nrules = \"best\"")
                .find("both init and rules"),
            std::string::npos);
}

// The main job's recipe with more arms, read.
Recipe with_arms(const std::string& arms) {
  const TemporaryFolder folder;
  write_file(folder / "recipe.toml", read_file(an4_recipe) + arms);
  Recipe recipe = read_recipe(folder / "recipe.toml");
  write_file(folder / "again.toml", recipe.to_toml());
  EXPECT_EQ(read_recipe(folder / "again.toml").to_toml(), recipe.to_toml());
  return recipe;
}

// The error of tables that are wrong.
std::string error_with(const std::string& tables) {
  return error_of<UserError>([&] { with_arms(tables); });
}

Recipe with_narrow_arms() {
  return with_arms(R"(
[[arms]]
name = "narrow"
rules = "paper"
factor = "width"
budgets = ["short"]
[arms.select]
elements = "first"
partial = ["joiner"]
[arms.run.train]
peak_lr = 1e-3
average_last = 3
[arms.run.model.conformer]
width = 48
[arms.run.augment]
time_share = 0.5
[[arms]]
name = "narrower"
like = "narrow"
run.model.conformer.width = 24
select.elements = "random"
[[arms]]
name = "narrow random"
like = "narrow"
init = "he"
)");
}

TEST(Recipe, AnArmHasItsOwnOptions) {
  const Recipe recipe = with_narrow_arms();
  const RecipeArm& narrow = recipe.arm("narrow");
  EXPECT_EQ(narrow.run.train.peak_lr, 1e-3);
  EXPECT_EQ(narrow.run.train.average_last, 3);
  EXPECT_EQ(narrow.run.model.conformer.width, 48);
  EXPECT_EQ(narrow.run.model.conformer.dropout, 0.05);  // the student's
  EXPECT_EQ(narrow.run.augment.time_share, 0.5);
  EXPECT_EQ(narrow.select.elements, ElementRule::first);
  EXPECT_EQ(narrow.select.partial, std::vector<std::string>{"joiner"});
}

TEST(Recipe, AnArmWithItsOwnRateIsNotTuned) {
  const Recipe recipe = with_narrow_arms();
  EXPECT_FALSE(recipe.arm("narrow").tuned);
  EXPECT_TRUE(recipe.arm("xavier").tuned);
}

TEST(Recipe, AnArmRunsInTheBudgetsItNames) {
  const Recipe recipe = with_narrow_arms();
  EXPECT_TRUE(recipe.arm("narrow").runs_in("short"));
  EXPECT_FALSE(recipe.arm("narrow").runs_in("full"));
}

TEST(Recipe, AnArmIsDescribedByWhatItChanges) {
  const Recipe recipe = with_narrow_arms();
  const std::string text = recipe.arm("narrow").description(recipe.student);
  for (const char* part : {"elements first", "train.peak_lr 0.001", "model.conformer.width 48"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
}

TEST(Recipe, AnArmInheritsFromTheOneItIsLike) {
  const Recipe recipe = with_narrow_arms();
  const RecipeArm& narrow = recipe.arm("narrow");
  const RecipeArm& narrower = recipe.arm("narrower");
  EXPECT_EQ(narrower.run.model.conformer.width, 24);
  EXPECT_EQ(narrower.run.train.peak_lr, 1e-3);
  EXPECT_EQ(narrower.select.elements, ElementRule::random);
  EXPECT_EQ(narrower.select.partial, narrow.select.partial);
  EXPECT_EQ(narrower.factor, "");
}

TEST(Recipe, ARandomArmInheritsNoRules) {
  const Recipe recipe = with_narrow_arms();
  const RecipeArm& random = recipe.arm("narrow random");
  EXPECT_FALSE(random.selected());
  EXPECT_EQ(random.run.model.conformer.width, 48);
}

TEST(Recipe, AnArmIsCalibratedByItsTable) {
  const Recipe recipe = with_arms(R"(
[[arms]]
name = "fitted"
rules = "paper"
[arms.calibrate]
seconds = 300
ridge = 0.1
[[arms]]
name = "random"
like = "fitted"
init = "he"
[[arms]]
name = "moving"
rules = "paper"
elements = "activation"
)");
  const RecipeArm& fitted = recipe.arm("fitted");
  ASSERT_TRUE(fitted.calibration.has_value());
  EXPECT_EQ(fitted.calibration->compensate, Compensation::least_squares);
  EXPECT_EQ(fitted.calibration->ridge, 0.1);
  EXPECT_EQ(fitted.calibration->seconds, 300);
  EXPECT_NE(fitted.description(recipe.student).find("calibrated with ridge 0.1, seconds 300"),
            std::string::npos);
  EXPECT_FALSE(recipe.arm("random").calibration.has_value());
  EXPECT_FALSE(recipe.arm("xavier").calibration.has_value());
  // Activations need audio; nothing else is done with it.
  ASSERT_TRUE(recipe.arm("moving").calibration.has_value());
  EXPECT_EQ(recipe.arm("moving").calibration->compensate, Compensation::none);
  EXPECT_FALSE(recipe.arm("moving").calibration->batch_norm);
}

TEST(Recipe, ComparisonsNameEvaluationsThatThereAre) {
  const std::string given = R"(
[[comparisons]]
arm = "best"
budget = "short"
baseline = "xavier"
baseline_budget = "full"
baseline_epoch = 20
set = "clean"
)";
  const Recipe recipe = with_arms(given);
  ASSERT_EQ(recipe.comparisons.size(), 1U);
  const Comparison& comparison = recipe.comparisons.front();
  EXPECT_EQ(comparison.baseline, "xavier");
  EXPECT_EQ(comparison.baseline_budget, "full");
  EXPECT_EQ(comparison.baseline_epoch, 20);
  EXPECT_FALSE(comparison.epoch.has_value());
  EXPECT_TRUE(comparison.crosses_budgets());
  const auto& error = error_with;
  EXPECT_NE(error(given + "epoch = 9").find("not evaluated at epoch 9 of 'short'"),
            std::string::npos);
  EXPECT_NE(error(given + "weights = \"mean\"").find("weights = 'mean'"), std::string::npos);
  EXPECT_NE(error(given + "epochs = 2").find("did you mean 'epoch'?"), std::string::npos);
  EXPECT_NE(error("[[checks]]\nkind = \"speed_up\"\nset = \"clean\"\nbudget = \"full\"\n"
                  "limit = 3\narm = \"select\"\nbaseline = \"xavier\"")
                .find("no arm is called 'select'"),
            std::string::npos);
}

TEST(Recipe, KeysOfOlderRecipesAreUnderstood) {
  std::string text = read_file(an4_recipe);
  const std::string now = read_recipe(an4_recipe).to_toml();
  for (const auto& [new_key, old_key] :
       {std::pair<std::string, std::string>{"[[budgets]]", "[[schedules]]"},
        {"primary_budget", "primary_schedule"},
        {"\nbudget = ", "\nschedule = "}})
    for (size_t at = 0; (at = text.find(new_key, at)) != std::string::npos; at += old_key.size())
      text.replace(at, new_key.size(), old_key);
  const TemporaryFolder folder;
  write_file(folder / "old.toml", text);
  // The tables from the study to the tuning, which holds paths.
  const auto tables = [](const std::string& toml) { return toml.substr(0, toml.find("[tuning]")); };
  const std::string old = tables(read_recipe(folder / "old.toml").to_toml());
  EXPECT_EQ(old.substr(old.find("[[arms]]")), tables(now).substr(tables(now).find("[[arms]]")));
  EXPECT_NE(old.find("primary_budget = \"full\""), std::string::npos);
  write_file(folder / "both.toml", text + "budget = \"full\"\n");
  EXPECT_NE(error_of<UserError>([&] {
              read_recipe(folder / "both.toml");
            }).find("both 'schedule' and 'budget' are set"),
            std::string::npos);
}

TEST(Recipe, MistakesInArmsAreNamed) {
  const auto error = [](const std::string& arm) {
    return error_with("[[arms]]\nname = \"x\"\n" + arm);
  };
  EXPECT_NE(error("like = \"xaver\"").find("no arm before it is called \"xaver\""),
            std::string::npos);
  EXPECT_NE(
      error("init = \"xavier\"\n[arms.select]\nelements = \"even\"").find("is random and has"),
      std::string::npos);
  EXPECT_NE(error("init = \"xavier\"\n[arms.calibrate]\nridge = 1").find("has [arms.calibrate]"),
            std::string::npos);
  EXPECT_NE(error("rules = \"paper\"\n[arms.calibrate]\nrigde = 1").find("ridge"),
            std::string::npos);
  EXPECT_NE(error("rules = \"paper\"\n[arms.select]\nelement = \"even\"").find("elements"),
            std::string::npos);
  EXPECT_NE(error("rules = \"paper\"\n[arms.run.train]\npeak_rl = 1").find("train.peak_lr"),
            std::string::npos);
  EXPECT_NE(error("rules = \"paper\"\nbudgets = [\"long\"]").find("no budget is called 'long'"),
            std::string::npos);
}

TEST(Recipe, TeachersBySeedOrFile) {
  const std::string seeds = "teacher_seeds = [4, 2]\nseeds = 2\npairing = \"paired\"";
  const TemporaryFolder folder;
  std::string text = read_file(an4_recipe);
  text.replace(text.find("seeds = 2"), 9, seeds);
  write_file(folder / "recipe.toml", text);
  const Recipe paired = read_recipe(folder / "recipe.toml");
  ASSERT_EQ(paired.teachers.size(), 2U);
  EXPECT_EQ(paired.teachers[0].number, 4);
  EXPECT_TRUE(paired.trains_teachers());
  const std::vector<StudentRun> runs = student_runs(paired, "/out", {});
  EXPECT_EQ(runs.size(), 2U * (2U * 2U + 1U));  // seeds × (two arms in both budgets, one in "full")
  EXPECT_EQ(runs[0].key, (RunKey{0, 1}));
  EXPECT_EQ(runs[1].key, (RunKey{4, 1}));
  EXPECT_EQ(runs.back().key, (RunKey{2, 2}));
  EXPECT_EQ(runs.back().directory, "/out/students/short/best/teacher-2/seed-2");

  text.replace(text.find(seeds), seeds.size(), "seeds = 2");
  text.replace(text.find("[teacher.model]"), 0, "[teacher]\nfiles = [\"a.safetensors\", \"/b\"]\n");
  write_file(folder / "recipe.toml", text);
  const Recipe files = read_recipe(folder / "recipe.toml");
  ASSERT_EQ(files.teachers.size(), 2U);
  EXPECT_EQ(files.teachers[0].file, folder / "a.safetensors");
  EXPECT_EQ(files.teachers[1].number, 2);
  EXPECT_FALSE(files.trains_teachers());
  // Crossed: in each budget xavier once a seed, the arms with a teacher with both.
  EXPECT_EQ(student_runs(files, "/out", {}).size(), 2U * (2U + 2U + 2U * 2U));
}

}  // namespace
}  // namespace scion
