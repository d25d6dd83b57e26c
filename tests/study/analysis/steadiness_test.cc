#include "scion/study/analysis/steadiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "scion/core/files/file.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

MeasuredRun run_of(const std::string& arm, int64_t seed, const std::vector<double>& norms) {
  MeasuredRun run{"s", arm, {0, seed}, {}, {}, {}, {}};
  for (size_t i = 0; i < norms.size(); ++i)
    run.whole.add(static_cast<double>(i + 1), static_cast<double>(i + 1) / 3, norms[i]);
  return run;
}

TEST(Steadiness, MeansOfNormsAreGeometric) {
  const auto curves = measure_curves(
      {run_of("a", 1, {1, 9}), run_of("a", 2, {4, 9}), run_of("b", 1, {7})}, PathMeasure::norm);
  ASSERT_EQ(curves.size(), 2);
  EXPECT_THAT(curves[0].x, ElementsAre(1, 2));
  EXPECT_THAT(curves[0].mean, ElementsAre(DoubleNear(2, 1e-12), DoubleNear(9, 1e-12)));
  EXPECT_NEAR(curves[0].low[0], 1, 1e-12);
  EXPECT_NEAR(curves[0].high[0], 4, 1e-12);
  EXPECT_EQ(curves[1].arm, "b");
}

TEST(Steadiness, JoinsUpdatesInBins) {
  MeasuredRun run{"s", "a", {0, 1}, {}, {}, {}, {}};
  for (int update = 0; update < 1000; ++update) {
    run.whole.add(update, 1, update % 2 ? 4.0 : 1.0);
    run.whole.path.back() = update + 1;
    run.whole.displacement.back() = 0.5 * (update + 1);
  }
  const auto norms = measure_curves({run}, PathMeasure::norm, 100);
  ASSERT_EQ(norms[0].x.size(), 100);
  EXPECT_EQ(norms[0].x[0], 4.5);
  for (const double mean : norms[0].mean) EXPECT_NEAR(mean, 2, 1e-12);
  const auto detours = measure_curves({run}, PathMeasure::detour, 100);
  for (const double mean : detours[0].mean) EXPECT_NEAR(mean, 2, 1e-12);
  EXPECT_TRUE(measure_curves({run}, PathMeasure::cosine).empty());  // not measured
}

TEST(Steadiness, LeavesOutWhatIsNotANorm) {
  const auto curves = measure_curves({run_of("a", 1, {2, 0, NAN, HUGE_VAL})}, PathMeasure::norm);
  EXPECT_THAT(curves[0].x, ElementsAre(1));
  EXPECT_TRUE(measure_curves({}, PathMeasure::norm).empty());
}

TEST(Steadiness, SteadinessByHand) {
  // Logarithms 0, 2, 1: mean 1, standard deviation 1, mean |change| (2 + 1) / 2.
  const double e = std::exp(1.0);
  MeasuredRun run = run_of("a", 1, {1, e * e, e, 1e9});
  run.whole.cosine = {NAN, 0.5, 0.7, -1};
  run.whole.path = {1, 2, 3, 100};
  run.whole.displacement = {1, 1.2, 2, 3};
  const Steadiness early = steadiness(run.whole, 1);
  EXPECT_NEAR(early.level, 1, 1e-12);
  EXPECT_NEAR(early.spread, 1, 1e-12);
  EXPECT_NEAR(early.change, 1.5, 1e-12);
  EXPECT_NEAR(early.cosine, 0.6, 1e-12);
  EXPECT_NEAR(early.detour, 1.5, 1e-12);
  EXPECT_NEAR(steadiness(run.whole, HUGE_VAL).cosine, 0.2 / 3, 1e-12);
  const Steadiness nothing = steadiness({}, 1);
  EXPECT_TRUE(std::isnan(nothing.level) && std::isnan(nothing.change) &&
              std::isnan(nothing.detour));
}

TEST(Steadiness, ReadsWhatARunMeasured) {
  const TemporaryFolder folder;
  write_file(folder / "updates.jsonl",
             "{\"update\":1,\"epoch\":0.5,\"gradient_norm\":1}\n"
             "{\"update\":2,\"epoch\":1,\"gradient_norm\":2}\n"
             "{\"update\":3,\"epoch\":1.5,\"gradient_norm\":2}\n"
             "{\"update\":4,\"epoch\":2,\"gradient_norm\":8}\n");
  write_file(
      folder / "measures.jsonl",
      "{\"update\":2,\"epoch\":1,\"all\":{\"norm\":2,\"change\":0.69,\"cosine\":0.25,"
      "\"path\":3,\"displacement\":2},\"joiner\":{\"norm\":1,\"change\":-0.5,\"cosine\":0.5,"
      "\"path\":1,\"displacement\":1}}\n"
      "{\"update\":4,\"epoch\":2,\"all\":{\"norm\":8,\"change\":1.39,\"cosine\":0.75,"
      "\"path\":6,\"displacement\":2},\"joiner\":{\"norm\":1,\"change\":null,\"cosine\":null,"
      "\"path\":4,\"displacement\":1}}\n");
  write_file(folder / "loss_line.json", "[[0,9],[0.5,null],[1,2]]");
  const MeasuredRun run = read_measured_run(folder.path());
  EXPECT_EQ(run.whole.updates.size(), 4);
  EXPECT_EQ(run.whole.path[1], 3);
  EXPECT_TRUE(std::isnan(run.whole.path[2]));
  EXPECT_NEAR(run.all.at("all").change, std::log(8.0) / 3, 1e-12);  // 2, 1 and 4 times
  EXPECT_NEAR(run.all.at("all").cosine, 0.5, 1e-12);
  EXPECT_NEAR(run.all.at("all").detour, 3, 1e-12);
  EXPECT_NEAR(run.early.at("all").detour, 1.5, 1e-12);
  EXPECT_NEAR(run.all.at("joiner").change, 0.5, 1e-12);
  EXPECT_NEAR(run.all.at("joiner").detour, 4, 1e-12);
  ASSERT_EQ(run.line.size(), 3);
  const auto line = line_curves({run});
  EXPECT_THAT(line.at(0).x, ElementsAre(0, 1));
  EXPECT_THAT(line.at(0).mean, ElementsAre(9, 2));
}

TEST(Steadiness, ARunThatMeasuredNothing) {
  const TemporaryFolder folder;
  const MeasuredRun run = read_measured_run(folder.path());
  EXPECT_TRUE(std::isnan(run.all.at("all").level));
  EXPECT_TRUE(
      values_of({run}, "", "", [](const MeasuredRun& r) { return r.all.at("all").level; }).empty());
}

TEST(CompareValues, PairsSeedsAndDrawsTeachers) {
  // Seeds differ by much, the arms by exactly 1 in every seed.
  std::map<RunKey, double> baseline, arm;
  for (int64_t seed = 1; seed <= 5; ++seed)
    for (int64_t teacher = 1; teacher <= 3; ++teacher) {
      baseline[{0, seed}] = 10.0 * static_cast<double>(seed);
      arm[{teacher, seed}] = 10.0 * static_cast<double>(seed) + 1;
    }
  const Difference exact = compare_values(baseline, arm);
  EXPECT_NEAR(exact.mean, 1, 1e-12);
  EXPECT_NEAR(exact.interval.low, 1, 1e-12);
  EXPECT_NEAR(exact.interval.high, 1, 1e-12);
  for (int64_t seed = 1; seed <= 5; ++seed) arm[{2, seed}] += 3;
  const Difference over_teachers = compare_values(baseline, arm);
  EXPECT_NEAR(over_teachers.mean, 2, 1e-12);
  EXPECT_LT(over_teachers.interval.low, 1.5);
  EXPECT_GT(over_teachers.interval.high, 3);
}

}  // namespace
}  // namespace scion
