#include "scion/study/compare.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <thread>

#include "scion/study/results.h"
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
about = "every part of a comparison"
[study]
seeds = 2
jobs = 2
threads = 1
baseline = "xavier"
primary_arm = "selected"
primary_schedule = "full"
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
checkpoint_every = "1u"
[teacher.model.conformer]
layers = 2
[student.model.conformer]
layers = 1
[[schedules]]
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

// Runs `scion compare` until `sign` exists in its folder, then kills it with its children; returns
// whether it had finished.
bool compare_until(const TemporaryFolder& folder, const std::string& out, const std::string& sign) {
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

TEST(Compare, KilledInEveryPhaseEndsWithTheSameResults) {
  const TemporaryFolder folder;
  write_file(folder / "tiny.toml", kTinyRecipe);
  small_manifest(folder.path(), 12);
  const auto whole = run_program(folder, "compare tiny.toml --out whole");
  ASSERT_EQ(whole.status, 0) << whole.error;
  for (const std::string sign :
       {"recipe.toml", "tokenizer.model", "sets", "cache", "teacher/run.toml",
        "teacher/checkpoints", "teacher/model.safetensors",
        "students/full/xavier/seed-2/updates.jsonl",
        "students/full/selected/seed-1/start.safetensors",
        "students/full/selected/seed-2/results.jsonl"})
    EXPECT_FALSE(compare_until(folder, "broken", sign)) << sign;
  const auto broken = run_program(folder, "compare tiny.toml --out broken");
  ASSERT_EQ(broken.status, 0) << broken.error;
  write_results(folder / "a.jsonl", without_times(folder / "whole/results.jsonl"));
  write_results(folder / "b.jsonl", without_times(folder / "broken/results.jsonl"));
  EXPECT_EQ(read_file(folder / "a.jsonl"), read_file(folder / "b.jsonl"));
  EXPECT_TRUE(fs::exists(folder / "broken/report.html"));
  // Once more: all is there, nothing is trained again.
  const auto again = run_program(folder, "compare tiny.toml --out broken");
  EXPECT_EQ(again.status, 0);
  EXPECT_NE(again.error.find("5 of 5 runs are there already"), std::string::npos) << again.error;
  // Another recipe is refused.
  write_file(folder / "tiny.toml", "# changed\n" + kTinyRecipe);
  EXPECT_EQ(run_program(folder, "compare tiny.toml --out broken").status, 2);
}

}  // namespace
}  // namespace scion
