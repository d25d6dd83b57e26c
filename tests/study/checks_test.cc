#include "scion/study/checks.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace scion {
namespace {

ResultRow wer_row(const std::string& arm, int64_t seed, double epoch, double wer) {
  ResultRow result;
  result.arm = arm;
  result.budget = "full";
  result.set = "clean";
  result.seed = seed;
  result.epoch = epoch;
  result.wer = wer;
  return result;
}

TEST(Checks, HoldInEverySeedOrSayWhereNot) {
  Recipe recipe;
  recipe.seeds = 2;
  recipe.arms = {{.name = "xavier", .init = "xavier"}, {.name = "selected", .rules = "paper"}};
  recipe.budgets = {{"full", 10, {2, 10}}};
  recipe.checks = {{.kind = "teacher_wer", .limit = 10, .comparison = {.set = "clean"}},
                   {.kind = "arm_wer", .limit = 14, .comparison = {"full", "clean"}},
                   {.kind = "early_cut",
                    .limit = 30,
                    .share = 0.2,
                    .comparison = {"full", "clean", "xavier", "selected"}}};
  const std::vector<ResultRow> rows = {
      wer_row("xavier", 1, 2, 50),    wer_row("xavier", 1, 10, 13),  wer_row("selected", 1, 2, 30),
      wer_row("selected", 1, 10, 12), wer_row("xavier", 2, 2, 50),   wer_row("xavier", 2, 10, 13),
      wer_row("selected", 2, 2, 36),  wer_row("selected", 2, 10, 12)};
  const auto checks =
      run_checks(recipe, rows, {wer_row("teacher", 1, 5, 20), wer_row("teacher", 1, 10, 9.5)});
  ASSERT_EQ(checks.size(), 3U);
  EXPECT_TRUE(checks[0].passed);
  EXPECT_TRUE(checks[1].passed);
  EXPECT_FALSE(checks[2].passed);
  EXPECT_NE(checks[2].detail.find("seed 2: 28.0 %"), std::string::npos);
}

TEST(Checks, SpeedUpIsToTheBaselinesErrorRateInItsOwnBudget) {
  Recipe recipe;
  recipe.arms = {{.name = "random", .init = "xavier"}, {.name = "selected", .rules = "paper"}};
  recipe.budgets = {{"full", 10, {5, 10}}, {"short", 4, {1, 2, 3, 4}}};
  std::vector<ResultRow> rows = {wer_row("random", 1, 5, 30), wer_row("random", 1, 10, 13)};
  for (const auto& [epoch, wer] : {std::pair{1.0, 60.0}, {2.0, 40.0}, {3.0, 20.0}, {4.0, 15.0}}) {
    rows.push_back(wer_row("selected", 1, epoch, wer));
    rows.back().budget = "short";
  }
  const auto check = [&](double share, double limit) {
    recipe.checks = {{.kind = "speed_up",
                      .limit = limit,
                      .share = share,
                      .comparison = {.budget = "short",
                                     .set = "clean",
                                     .baseline = "random",
                                     .arm = "selected",
                                     .baseline_budget = "full"}}};
    return run_checks(recipe, rows, {}).front();
  };
  // 30 % is half-way between the epochs 2 and 3.
  EXPECT_TRUE(check(0.5, 1.99).passed);
  EXPECT_FALSE(check(0.5, 2.01).passed);
  EXPECT_NE(check(0.5, 1).detail.find("epoch 2.50: 2.00 ×"), std::string::npos);
  EXPECT_FALSE(check(1, 1).passed);
  EXPECT_NE(check(1, 1).detail.find("never there: 15.0 %"), std::string::npos);
}

TEST(Checks, EndBelowAsksForTheBoundOfTheInterval) {
  Recipe recipe;
  recipe.arms = {{.name = "random", .init = "xavier"}, {.name = "selected", .rules = "paper"}};
  recipe.budgets = {{"full", 10, {10}}};
  std::vector<ResultRow> rows;
  for (int64_t seed = 1; seed <= 5; ++seed)
    for (const auto& [arm, errors] : {std::pair{"random", 4}, {"selected", 3}}) {
      rows.push_back(wer_row(arm, seed, 10, 0));
      for (int64_t speaker = 0; speaker < 12; ++speaker)
        rows.back().utterances.push_back({fmt::format("u{}", speaker), fmt::format("s{}", speaker),
                                          errors + (speaker + seed) % 2, 20});
    }
  const auto check = [&](double limit) {
    recipe.checks = {{.kind = "end_below",
                      .limit = limit,
                      .comparison = {"full", "clean", "random", "selected"}}};
    return run_checks(recipe, rows, {}).front();
  };
  EXPECT_TRUE(check(0).passed) << check(0).detail;  // one error of 20 words less: 5 points
  EXPECT_FALSE(check(-6).passed);
  EXPECT_EQ(check(0).detail.substr(0, 5), "-5.00");
}

}  // namespace
}  // namespace scion
