#include "scion/study/study.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "scion/core/files/json_lines.h"
#include "scion/model/model_file.h"
#include "scion/study/analysis/results.h"
#include "tests/cli/program.h"
#include "tests/training/tiny_run.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using scion::testing::run_program;
using scion::testing::small_manifest;

// The main job in every part, in some seconds: two runs of each of two arms, and their teacher.
const std::string kTinyRecipe = R"(
name = "tiny"
about = "every part of a study"
[study]
seeds = 2
jobs = 2
threads = 1
baseline = "xavier"
primary_arm = "selected"
primary_budget = "full"
primary_set = "clean"
primary_share = 0.5
[run.data]
train = ["small.jsonl"]
[run.loader]
batch_seconds = 10
[run.model]
predictor_width = 10
joiner_width = 12
[run.model.conformer]
width = 16
heads = 2
head_width = 6
feed_forward = 24
kernel = 5
subsampling = 6
subsampling_channels = 3
[run.model.features]
bins = 20
[run.train]
epochs = 2
checkpoint.every = "1u"
[teacher.model.conformer]
layers = 2
[student.model.conformer]
layers = 1
[[budgets]]
name = "full"
epochs = 2
evaluate_epochs = [1, 2]
[[arms]]
name = "xavier"
init = "xavier"
[[arms]]
name = "selected"
rules = "paper"
[[sets]]
name = "clean"
manifest = "small.jsonl"
[[sets]]
name = "other"
manifest = "small.jsonl"
babble = "small.jsonl"
[sets.condition]
seed = 1
)";

// Runs `scion compare` until `sign` exists in its folder, then kills it and its children; returns
// true if it had finished.
bool study_until(const TemporaryFolder& folder, const std::string& out, const std::string& sign) {
  const pid_t child = fork();
  if (child == 0) {
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execl(SCION_PROGRAM, SCION_PROGRAM, "compare", (folder / "tiny.toml").c_str(), "--out",
          (folder / out).c_str(), nullptr);
    _exit(127);
  }
  while (!fs::exists(folder / out / sign)) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return false;
}

std::vector<ResultRow> without_times(const fs::path& path) {
  std::vector<ResultRow> rows = read_results(path);
  for (ResultRow& row : rows) row.training_seconds = row.compute_seconds = 0;
  return rows;
}

TEST(Study, KilledInEveryPhaseEndsWithTheSameResults) {
  const TemporaryFolder folder;
  write_file(folder / "tiny.toml", kTinyRecipe);
  small_manifest(folder.path(), 12);
  const auto whole = run_program(folder, "compare tiny.toml --out whole");
  ASSERT_EQ(whole.status, 0) << whole.error;
  for (const std::string sign :
       {"tokenizer.model", "sets", "recipe.toml", "cache", "teachers/seed-1/run.toml",
        "teachers/seed-1/checkpoints", "teachers/seed-1/model.safetensors",
        "students/full/xavier/seed-2/updates.jsonl",
        "students/full/selected/teacher-1/seed-1/start.safetensors",
        "students/full/selected/teacher-1/seed-2/results.jsonl"})
    EXPECT_FALSE(study_until(folder, "broken", sign)) << sign;
  const auto broken = run_program(folder, "compare tiny.toml --out broken");
  ASSERT_EQ(broken.status, 0) << broken.error;
  write_results(folder / "a.jsonl", without_times(folder / "whole/results.jsonl"));
  write_results(folder / "b.jsonl", without_times(folder / "broken/results.jsonl"));
  EXPECT_EQ(read_file(folder / "a.jsonl"), read_file(folder / "b.jsonl"));
  EXPECT_TRUE(fs::exists(folder / "broken/report.html"));
  // Once more: all is there, nothing is trained again.
  const auto again = run_program(folder, "compare tiny.toml --out broken");
  EXPECT_EQ(again.status, 0);
  EXPECT_NE(again.error.find("5 of 5 runs are already finished"), std::string::npos) << again.error;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t found = text.find(from);
  EXPECT_NE(found, std::string::npos) << from;
  return text.replace(found, from.size(), to);
}

// One seed of the tiny recipe, its evaluation on `clean` alone.
std::string smallest_recipe() {
  return replaced(kTinyRecipe.substr(0, kTinyRecipe.rfind("[[sets]]")), "seeds = 2", "seeds = 1");
}

// The corpus is lower-case: pieces of its own texts would not spell the upper-case ones.
TEST(Compare, ATokenizerIsTrainedOnNormalisedTexts) {
  const TemporaryFolder folder;
  small_manifest(folder.path(), 12);
  write_file(folder / "tiny.toml", replaced(smallest_recipe(), "[run.model.conformer]",
                                            "[run.model.text]\nletter_case = \"upper\"\n"
                                            "[run.model.conformer]"));
  const auto result = run_program(folder, "compare tiny.toml --out study");
  EXPECT_EQ(result.status, 0) << result.error;
}

// The smallest recipe with another teacher, and an arm with its own options.
std::string grown_recipe() {
  const std::string more = smallest_recipe() + R"(
[[arms]]
name = "fast"
like = "selected"
[arms.run.train]
peak_lr = 8e-3
average_last = 2
[arms.run.model.conformer]
feed_forward = 12
)";
  return replaced(more, "primary_share = 0.5", "primary_share = 0.5\nteacher_seeds = [1, 2]");
}

// A study of the smallest recipe that grew by an arm and a teacher.
class GrownStudy : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder = std::make_unique<TemporaryFolder>();
    small_manifest(folder->path(), 12);
    ASSERT_EQ(run(smallest_recipe()).status, 0);
    results_before = read_file(results());
    grown = run(grown_recipe());
    ASSERT_EQ(grown.status, 0) << grown.error;
  }
  static void TearDownTestSuite() { folder.reset(); }
  static testing::ProgramResult run(const std::string& recipe) {
    write_file(*folder / "tiny.toml", recipe);
    return run_program(*folder, "compare tiny.toml --out study");
  }
  static fs::path results() { return *folder / "study/results.jsonl"; }
  static void expect_refused(const std::string& recipe, const std::string& message) {
    const auto refused = run(recipe);
    EXPECT_EQ(refused.status, 2);
    EXPECT_NE(refused.error.find(message), std::string::npos) << refused.error;
  }
  static inline std::unique_ptr<TemporaryFolder> folder;
  static inline std::string results_before;
  static inline testing::ProgramResult grown;
};

TEST_F(GrownStudy, TrainsOnlyWhatIsNew) {
  EXPECT_NE(grown.error.find("3 of 7 runs are already finished"), std::string::npos) << grown.error;
}

TEST_F(GrownStudy, HasTheResultsOfAllRuns) {
  const std::vector<ResultRow> rows = read_results(results());
  // xavier once, the others for both teachers; fast is evaluated once more, averaged.
  const auto count = [&](const auto& is) { return std::count_if(rows.begin(), rows.end(), is); };
  EXPECT_EQ(rows.size(), 2U + 4U + 6U);
  EXPECT_EQ(count([](const ResultRow& row) { return row.teacher == 2; }), 2 + 3);
  EXPECT_EQ(count([](const ResultRow& row) { return row.weights == Weights::averaged; }), 2);
}

TEST_F(GrownStudy, KeepsItsEarlierResults) {
  std::istringstream lines(results_before);
  for (std::string line; std::getline(lines, line);)
    EXPECT_NE(read_file(results()).find(line), std::string::npos);
}

TEST_F(GrownStudy, GivesAnArmItsOwnOptions) {
  const RunConfig fast =
      read_run_config(*folder / "study/students/full/fast/teacher-2/seed-1/run.toml");
  EXPECT_EQ(fast.train.peak_lr, 8e-3);
  EXPECT_EQ(fast.model.conformer.feed_forward, 12);
}

TEST_F(GrownStudy, RefusesOtherTrainingOptions) {
  expect_refused(replaced(grown_recipe(), "peak_lr = 8e-3", "peak_lr = 7e-3"),
                 "the settings of 2 existing runs have changed; 'fast / full / teacher 1, seed 1': "
                 "train.peak_lr is 0.007, was 0.008");
}

TEST_F(GrownStudy, RefusesOtherEvaluations) {
  expect_refused(replaced(grown_recipe(), "evaluate_epochs = [1, 2]", "evaluate_epochs = [1]"),
                 "train.evaluate_epochs is [1], was [1,2]");
}

TEST_F(GrownStudy, RefusesOtherRulesOfSelection) {
  expect_refused(replaced(grown_recipe(), "rules = \"paper\"", "rules = \"published\""),
                 "rules is \"published\", was \"paper\"");
}

TEST_F(GrownStudy, PrintsAtItsStartWhatIsLeftAndWhatItWillShow) {
  for (const char* part :
       {"7 models: 3 arms × 1 budget × 1 seed; 2 at a time with 1 thread each", "on this machine",
        "; 3 of 7 runs are finished", "with learning curves in study/report.html"})
    EXPECT_NE(grown.out.find(part), std::string::npos) << part << "\n" << grown.out;
}

TEST(Study, TheReportGivesTheSizesOfTheModelsThatWereTrained) {
  const TemporaryFolder folder;
  small_manifest(folder.path(), 12);
  // Wide enough for the vocabulary to show in the second decimal.
  write_file(folder / "tiny.toml",
             replaced(smallest_recipe(), "predictor_width = 10", "predictor_width = 2000"));
  ASSERT_EQ(run_program(folder, "compare tiny.toml --out study").status, 0);
  const std::string report = read_file(folder / "study/report.html");
  for (const std::string path :
       {"teachers/seed-1/model.safetensors", "students/full/xavier/seed-1/model.safetensors"}) {
    const ModelFile file = load_model(folder / "study" / path);
    EXPECT_LT(file.model->vocabulary(), 24);
    const auto parameters = static_cast<double>(file.model->registry().parameter_count());
    const std::string size = fmt::format("{:.2f} M parameters", parameters / 1e6);
    EXPECT_NE(report.find(size), std::string::npos) << path << ": " << size;
  }
}

// A teacher that is given is judged as one that is trained, and its size is its own.
TEST(Study, EvaluatesATeacherThatIsAFile) {
  const TemporaryFolder folder;
  small_manifest(folder.path(), 12);
  const std::string trained = smallest_recipe();
  write_file(folder / "tiny.toml", trained);
  ASSERT_EQ(run_program(folder, "compare tiny.toml --out first").status, 0);
  fs::copy(folder / "first/teachers/seed-1/model.safetensors", folder / "big.safetensors");
  const std::string given = replaced(trained, "[teacher.model.conformer]\nlayers = 2\n",
                                     "[teacher]\nfile = \"big.safetensors\"\n") +
                            "[[checks]]\nkind = \"teacher_wer\"\nset = \"clean\"\nlimit = 1e6\n";
  write_file(folder / "tiny.toml", given);
  const auto second = run_program(folder, "compare tiny.toml --out second");
  ASSERT_EQ(second.status, 0) << second.error;
  const fs::path results = folder / "second/teachers/file-1/results.jsonl";
  const auto wer = [&] { return read_json_lines(results).front().at("wer").get<double>(); };
  const auto evaluated = run_program(folder, "evaluate big.safetensors small.jsonl --json");
  EXPECT_EQ(wer(), nlohmann::json::parse(evaluated.out).at("wer"));
  EXPECT_NE(second.out.find(fmt::format("{:.2f} %", wer())), std::string::npos) << second.out;
  const std::string size =
      fmt::format("big.safetensors, {:.2f} M parameters",
                  static_cast<double>(
                      load_model(folder / "big.safetensors").model->registry().parameter_count()) /
                      1e6);
  EXPECT_NE(second.out.find(size), std::string::npos) << second.out;

  // Kept as long as the file is the same. Another one contradicts the students that are there.
  const auto teacher = [&] {
    return read_json_lines(results).front().at("inputs").at("teacher").get<std::string>();
  };
  const std::string before = read_file(results);
  ASSERT_EQ(run_program(folder, "compare tiny.toml --out second").status, 0);
  EXPECT_EQ(read_file(results), before);
  ModelFile other = load_model(folder / "big.safetensors");
  {
    const at::NoGradGuard no_grad;
    other.model->registry().find("joiner.output.bias")->tensor[blank] = 1000;
  }
  save_model(folder / "big.safetensors", *other.model, other.tokenizer, other.provenance);
  const auto refused = run_program(folder, "compare tiny.toml --out second");
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.error.find("big.safetensors, was another"), std::string::npos) << refused.error;
  EXPECT_EQ(read_file(results), before);
  fs::remove_all(folder / "second/students");
  ASSERT_EQ(run_program(folder, "compare tiny.toml --out second").status, 0);
  EXPECT_EQ(teacher(), file_checksum(folder / "big.safetensors"));
  EXPECT_EQ(wer(), 100);
}

TEST(Study, ACalibratedArmStartsFromItsOwnAudio) {
  const TemporaryFolder folder;
  small_manifest(folder.path(), 12);
  const std::string recipe = smallest_recipe() + R"(
[[arms]]
name = "fitted"
rules = "paper"
elements = "activation"
[arms.calibrate]
ridge = 0.5
seconds = 5
[[comparisons]]
arm = "fitted"
budget = "full"
epoch = 1
baseline = "xavier"
baseline_epoch = 2
set = "clean"
)";
  write_file(folder / "tiny.toml", recipe);
  const auto made = run_program(folder, "compare tiny.toml --out study");
  ASSERT_EQ(made.status, 0) << made.error;
  const fs::path run = folder / "study/students/full/fitted/teacher-1/seed-1";
  const ModelFile start = load_model(run / "start.safetensors");
  const Provenance::Calibrated& calibrated = *start.provenance.calibrated;
  EXPECT_EQ(nlohmann::json::parse(calibrated.options).at("ridge"), 0.5);
  EXPECT_GT(nlohmann::json::parse(calibrated.summary).at("utterances"), 0);
  EXPECT_NE(made.out.find("clean, epoch 1 − epoch 2"), std::string::npos) << made.out;

  write_file(folder / "tiny.toml", replaced(recipe, "ridge = 0.5", "ridge = 0.4"));
  const auto refused = run_program(folder, "compare tiny.toml --out study");
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.error.find("calibrate.ridge is 0.4, was 0.5"), std::string::npos)
      << refused.error;
}

}  // namespace
}  // namespace scion
