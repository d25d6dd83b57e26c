#include "scion/study/jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A job that runs a shell command in its folder; done when the file `done` is there.
Job shell_job(const TemporaryFolder& folder, const std::string& name, const std::string& command) {
  Job job;
  job.name = name;
  job.directory = folder / name;
  job.command = {"/bin/sh", "-c", "cd '" + job.directory.string() + "' && " + command};
  job.done = [path = job.directory / "done"] { return fs::exists(path); };
  job.progress = [] { return 0.0; };
  return job;
}

TEST(Jobs, RunAsChildrenWithALog) {
  const TemporaryFolder folder;
  run_jobs({shell_job(folder, "a", "echo out; echo error >&2; touch done")}, 1);
  EXPECT_EQ(read_file(folder / "a/log.txt"), "out\nerror\n");
}

TEST(Jobs, ThatAreDoneAreNotRunAgain) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "a");
  write_file(folder / "a/done", "");
  run_jobs({shell_job(folder, "a", "touch again")}, 1);
  EXPECT_FALSE(fs::exists(folder / "a/again"));
}

TEST(Jobs, ArePreparedBeforeTheyStart) {
  const TemporaryFolder folder;
  Job job = shell_job(folder, "a", "cp input done");
  job.prepare = [&] {
    fs::create_directories(job.directory);
    write_file(job.directory / "input", "given");
  };
  run_jobs({job}, 1);
  EXPECT_EQ(read_file(folder / "a/done"), "given");
}

TEST(Jobs, StartAfterThoseTheyNeed) {
  const TemporaryFolder folder;
  Job second = shell_job(folder, "second", "cp ../first/done done");
  second.after = {"first"};
  run_jobs({second, shell_job(folder, "first", "sleep 0.3; echo made > done")}, 2);
  EXPECT_EQ(read_file(folder / "second/done"), "made\n");
}

TEST(Jobs, RunAsManyAtATimeAsAsked) {
  const TemporaryFolder folder;
  // Each fails if the other one is running.
  const std::string alone = "mkdir ../lock && sleep 0.3 && rmdir ../lock && touch done";
  run_jobs({shell_job(folder, "a", alone), shell_job(folder, "b", alone)}, 1);
  EXPECT_TRUE(fs::exists(folder / "b/done"));
  // Each succeeds only if the other one is running.
  const std::string together =
      "touch here; for i in 1 2 3 4 5 6 7 8 9; do [ -f ../c/here ] && [ -f ../d/here ] && "
      "touch done; sleep 0.2; done";
  run_jobs({shell_job(folder, "c", together), shell_job(folder, "d", together)}, 2);
  EXPECT_TRUE(fs::exists(folder / "d/done"));
}

TEST(Jobs, ThatTakeSeveralPlacesRunWithFewerOthers) {
  const TemporaryFolder folder;
  const std::string alone = "mkdir ../lock && sleep 0.3 && rmdir ../lock && touch done";
  std::vector<Job> jobs = {shell_job(folder, "a", alone), shell_job(folder, "b", alone)};
  jobs[0].places = 2;
  run_jobs(jobs, 2);
  EXPECT_TRUE(fs::exists(folder / "b/done"));
  // More places than there are: all of them.
  jobs = {shell_job(folder, "c", alone)};
  jobs[0].places = 5;
  run_jobs(jobs, 2);
  EXPECT_TRUE(fs::exists(folder / "c/done"));
}

TEST(Jobs, AFailureShowsTheEndOfTheLog) {
  const TemporaryFolder folder;
  const std::string message =
      message_of<Failure>([&] { run_jobs({shell_job(folder, "a", "echo the cause; exit 3")}, 1); });
  EXPECT_THAT(message, HasSubstr("the run 'a' failed"));
  EXPECT_THAT(message, HasSubstr("the cause"));
}

TEST(Jobs, ThatLeaveNoResultHaveFailed) {
  const TemporaryFolder folder;
  EXPECT_THROW(run_jobs({shell_job(folder, "a", "true")}, 1), Failure);
}

TEST(Jobs, AFailureStopsTheOthers) {
  const TemporaryFolder folder;
  EXPECT_THROW(
      run_jobs({shell_job(folder, "a", "exit 3"), shell_job(folder, "b", "sleep 1; touch done")},
               2),
      Failure);
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));
  EXPECT_FALSE(fs::exists(folder / "b/done"));
}

TEST(Jobs, WithOtherSettingsAreNamed) {
  const TemporaryFolder folder;
  Job same = shell_job(folder, "same", "true"), other = shell_job(folder, "other", "true");
  same.changed = [] { return std::string(); };
  other.changed = [] { return std::string("train.peak_lr is 0.004, was 0.002"); };
  EXPECT_NO_THROW(check_unchanged({same}));
  EXPECT_EQ(message_of<UserError>([&] {
              check_unchanged({same, other});
            }),
            "the settings of 1 existing runs have changed; 'other': train.peak_lr is 0.004, was "
            "0.002");
}

}  // namespace
}  // namespace scion
