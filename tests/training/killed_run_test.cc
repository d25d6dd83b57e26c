// A run that is killed at random instants and resumed, compared with a run that is not.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>
#include <thread>

#include "scion/core/files/json_lines.h"
#include "scion/core/random.h"
#include "scion/model/model_file.h"
#include "scion/training/trainer.h"
#include "tests/core/temporary_folder.h"
#include "tests/training/run_points.h"
#include "tests/training/tiny_run.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using scion::testing::tiny_run;

// Starts `scion train` and kills it some `microseconds` after its log of updates has grown beyond
// `bytes`; returns true if it had finished.
bool train_until(const fs::path& config, const fs::path& out, uintmax_t bytes,
                 int64_t microseconds) {
  const pid_t child = fork();
  if (child == 0) {
    freopen("/dev/null", "w", stderr);
    freopen("/dev/null", "w", stdout);
    execl(SCION_PROGRAM, SCION_PROGRAM, "train", "--config", config.c_str(), "--out", out.c_str(),
          nullptr);
    _exit(127);
  }
  std::error_code missing;
  while (true) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const uintmax_t size = fs::file_size(out / "updates.jsonl", missing);
    if (!missing && size > bytes) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return false;
}

// From a trained model, with a wider teacher whose distillation ends in the middle of an epoch.
RunConfig distilled_run(const TemporaryFolder& folder) {
  RunConfig config = tiny_run(folder.path());
  config.train.epochs = 1;
  train(config, folder / "first");
  config.model.conformer.width = 24;
  train(config, folder / "teacher");
  config = tiny_run(folder.path());
  config.train.init = folder / "first/model.safetensors";
  config.train.copied.lr_scale = 0.5;
  config.train.copied.anchor_decay = 2;
  config.train.copied.anchor_until = Span::epochs(1);
  config.train.distill.teacher = folder / "teacher/model.safetensors";
  config.train.distill.until = Span::epochs(1.5);
  config.train.distill.fade = true;
  config.train.measure_every = 2;
  return config;
}

// `whole` ran to its end; `broken` was killed several times and resumed.
class KilledRun : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    constexpr uintmax_t never = std::numeric_limits<uintmax_t>::max();
    folder = std::make_unique<TemporaryFolder>();
    const fs::path config = *folder / "run.toml";
    write_file(config, distilled_run(*folder).to_toml());
    ASSERT_TRUE(train_until(config, whole(), never, 0));
    const uintmax_t bytes = fs::file_size(whole("updates.jsonl"));
    Random random(7, RandomStream::order);
    int kills = 0;
    // Later and later in the run, immediately or some milliseconds after an update: between
    // updates, during one, while a checkpoint is written.
    for (int part = 0; part < 8; ++part) {
      const double share = (part + random.uniform(0, 1)) / 9;
      const auto after = static_cast<uintmax_t>(share * static_cast<double>(bytes));
      kills += !train_until(config, broken(), after, random.below(20000));
    }
    EXPECT_GE(kills, 4);
    ASSERT_TRUE(train_until(config, broken(), never, 0));
  }
  static void TearDownTestSuite() { folder.reset(); }
  static fs::path whole(const std::string& name = "") { return *folder / "whole" / name; }
  static fs::path broken(const std::string& name = "") { return *folder / "broken" / name; }
  static inline std::unique_ptr<TemporaryFolder> folder;
};

TEST_F(KilledRun, DistilsUntilTheGivenEpoch) {
  const auto updates = read_json_lines(whole("updates.jsonl"));
  EXPECT_GT(updates.front().at("node_divergence").get<double>(), 0);
  EXPECT_GT(updates.front().at("ctc_divergence").get<double>(), 0);
  EXPECT_EQ(updates.back().at("node_divergence"), 0);
}

TEST_F(KilledRun, RecordsItsTeacher) {
  EXPECT_NE(load_model(whole("model.safetensors")).provenance.trained->teacher_checksum, "");
}

TEST_F(KilledRun, EndsWithTheSameModelBytes) {
  EXPECT_EQ(read_file(whole("model.safetensors")), read_file(broken("model.safetensors")));
}

TEST_F(KilledRun, LogsEveryUpdateOnce) {
  EXPECT_EQ(read_json_lines(whole("updates.jsonl")).size(),
            read_json_lines(broken("updates.jsonl")).size());
}

TEST_F(KilledRun, HasTheSameResultsButForTimes) {
  auto expected = read_json_lines(whole("results.jsonl")),
       found = read_json_lines(broken("results.jsonl"));
  ASSERT_EQ(expected.size(), found.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    expected[i].erase("training_seconds");
    found[i].erase("training_seconds");
    EXPECT_EQ(expected[i], found[i]);
  }
}

TEST_F(KilledRun, HasTheSameTensorBoardPoints) {
  EXPECT_EQ(testing::points_but_speed(whole()), testing::points_but_speed(broken()));
}

TEST_F(KilledRun, HasTheSameMeasurements) {
  for (const char* name : {"measures.jsonl", "loss_line.json"})
    EXPECT_EQ(read_file(whole(name)), read_file(broken(name))) << name;
}

}  // namespace
}  // namespace scion
