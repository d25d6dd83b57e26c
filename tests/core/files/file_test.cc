#include "scion/core/files/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

#include "scion/core/error.h"
#include "tests/core/error_of.h"
#include "tests/core/temporary_folder.h"

namespace scion {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

void put(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

// The number of a process that is certainly gone.
pid_t dead_process() {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, nullptr, 0);
  return child;
}

// Files may only grow to `bytes` while this lives: writing more fails like a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST(File, RoundTripAndReplace) {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\n", 4);
  write_file(folder / "x", bytes);
  EXPECT_EQ(read_file(folder / "x"), bytes);
  write_file(folder / "x", "");
  EXPECT_EQ(read_file(folder / "x"), "");
  EXPECT_THAT(folder.names(), ElementsAre("x"));
}

TEST(File, MakesTheFoldersAbove) {
  const TemporaryFolder folder;
  write_file(folder / "a/b/c", "text");
  EXPECT_EQ(read_file(folder / "a/b/c"), "text");
}

TEST(File, ReadsFilesWithoutASize) {
  EXPECT_THAT(read_file("/proc/self/status"), HasSubstr("Pid:"));
}

TEST(File, ReadErrorsNameTheFile) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of<UserError>([&] { read_file(folder / "absent"); }),
              AllOf(HasSubstr("absent: No such file or directory"), HasSubstr("check the name")));
  EXPECT_THAT(error_of<UserError>([&] { read_file(folder.path()); }),
              AllOf(HasSubstr("Is a directory"), HasSubstr("name a file")));
  EXPECT_THAT(error_of<UserError>([&] { MappedFile file(folder / "absent"); }),
              HasSubstr("absent: No such file"));
  EXPECT_THAT(error_of<UserError>([&] { MappedFile file(folder.path()); }),
              HasSubstr("Is a directory"));
}

TEST(File, AFullDiskLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  write_file(folder / "model", "old");
  {
    const FileSizeLimit limit(1000);
    EXPECT_THAT(error_of<Failure>([&] { write_file(folder / "model", std::string(5000, 'x')); }),
                AllOf(HasSubstr("cannot write"), HasSubstr("model: File too large"),
                      HasSubstr("ulimit -f")));
  }
  EXPECT_EQ(read_file(folder / "model"), "old");
  EXPECT_THAT(folder.names(), ElementsAre("model"));
}

TEST(File, AFileInTheWayOfAFolder) {
  const TemporaryFolder folder;
  put(folder / "file", "");
  EXPECT_THAT(error_of<Failure>([&] { write_file(folder / "file/x", "text"); }),
              AllOf(HasSubstr("file: Not a directory"), HasSubstr("a part of the path is a file")));
  EXPECT_THAT(error_of<Failure>([&] { PendingDirectory pending(folder / "file/x"); }),
              HasSubstr("Not a directory"));
}

TEST(File, AFolderInTheWayOfAFile) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "x/y");
  EXPECT_THAT(error_of<Failure>([&] { write_file(folder / "x", "text"); }),
              HasSubstr("cannot write"));
  EXPECT_THAT(folder.names(), ElementsAre("x"));
}

TEST(File, AFolderThatCannotBeWritten) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  const TemporaryFolder folder;
  fs::create_directory(folder / "locked");
  fs::permissions(folder / "locked", fs::perms::owner_read | fs::perms::owner_exec);
  const std::string hint = "choose a folder that you may write to";
  EXPECT_THAT(error_of<Failure>([&] { write_file(folder / "locked/x", "text"); }),
              AllOf(HasSubstr("Permission denied"), HasSubstr(hint)));
  EXPECT_THAT(error_of<Failure>([&] { PendingDirectory pending(folder / "locked/x"); }),
              HasSubstr(hint));
}

// /sys takes no files from anybody, root included.
TEST(File, AFileSystemThatCannotBeWritten) {
  if (!fs::is_directory("/sys/kernel")) GTEST_SKIP() << "no /sys";
  EXPECT_THAT(error_of<Failure>([] { write_file("/sys/kernel/scion", "text"); }),
              AllOf(HasSubstr("/sys/kernel/scion: "), HasSubstr("choose a folder")));
}

TEST(File, LeftOversOfDeadProcessesGoThoseOfLivingOnesStay) {
  const TemporaryFolder folder;
  const std::string dead = std::to_string(dead_process()), living = std::to_string(getppid());
  put(folder / (".x." + dead + "-0.tmp"), "half");
  put(folder / (".x." + living + "-0.tmp"), "half");
  put(folder / (".other." + dead + "-0.tmp"), "half");
  put(folder / ".x.notes.tmp", "a user's own");
  write_file(folder / "x", "text");
  EXPECT_THAT(folder.names(),
              ::testing::UnorderedElementsAre(".x." + living + "-0.tmp", "x",
                                              ".other." + dead + "-0.tmp", ".x.notes.tmp"));
}

TEST(PendingDirectory, AppearsWholeOnCommit) {
  const TemporaryFolder folder;
  PendingDirectory pending(folder / "runs/checkpoint/");
  put(pending.path() / "a", "1");
  fs::create_directory(pending.path() / "sub");
  put(pending.path() / "sub/b", "2");
  EXPECT_FALSE(fs::exists(folder / "runs/checkpoint"));
  pending.commit();
  EXPECT_EQ(read_file(folder / "runs/checkpoint/sub/b"), "2");
  EXPECT_FALSE(fs::exists(pending.path()));
}

TEST(PendingDirectory, LeavesNothingWithoutACommit) {
  const TemporaryFolder folder;
  try {
    const PendingDirectory pending(folder / "checkpoint");
    put(pending.path() / "a", "1");
    throw std::runtime_error("something else failed");
  } catch (const std::runtime_error&) {
  }
  EXPECT_THAT(folder.names(), IsEmpty());
}

TEST(PendingDirectory, TheFinalNameMustBeFree) {
  const TemporaryFolder folder;
  {
    PendingDirectory pending(folder / "checkpoint");
    fs::create_directory(folder / "checkpoint");
    EXPECT_THAT(error_of<Failure>([&] { pending.commit(); }),
                AllOf(HasSubstr("checkpoint already exists"), HasSubstr("choose another name")));
  }
  EXPECT_THAT(folder.names(), ElementsAre("checkpoint"));
}

TEST(PendingDirectory, RemovesWhatAKilledProcessLeft) {
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    const PendingDirectory pending(folder / "checkpoint");
    put(pending.path() / "half", "1");
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  ASSERT_EQ(folder.names().size(), 1U);
  EXPECT_THAT(folder.names()[0], HasSubstr(std::to_string(child)));
  PendingDirectory(folder / "checkpoint").commit();
  EXPECT_THAT(folder.names(), ElementsAre("checkpoint"));
  EXPECT_TRUE(fs::is_empty(folder / "checkpoint"));
}

TEST(LineLog, AppendsAndRemovesACutLastLine) {
  const TemporaryFolder folder;
  const auto path = folder / "results.jsonl";
  {
    LineLog log(path);
    log.append("one");
    log.append("two");
    log.sync();
  }
  EXPECT_EQ(read_file(path), "one\ntwo\n");
  std::ofstream(path, std::ios::app) << "thr";
  LineLog(path).append("three");
  EXPECT_EQ(read_file(path), "one\ntwo\nthree\n");
}

TEST(LineLog, ACutLineOfAnyLengthGoes) {
  const TemporaryFolder folder;
  for (const size_t length : {1, 4095, 4096, 4097, 20'000}) {
    const auto path = folder / std::to_string(length);
    put(path, "whole\n" + std::string(length, 'x'));
    const LineLog log(path);
    EXPECT_EQ(read_file(path), "whole\n") << length;
    put(path, std::string(length, 'x'));
    const LineLog again(path);
    EXPECT_EQ(read_file(path), "") << length;
  }
}

TEST(LineLog, AFullDiskLeavesNoHalfLine) {
  const TemporaryFolder folder;
  const auto path = folder / "log";
  LineLog log(path);
  log.append(std::string(80, 'a'));
  {
    const FileSizeLimit limit(100);
    EXPECT_THAT(error_of<Failure>([&] { log.append(std::string(80, 'b')); }), HasSubstr("log: "));
  }
  log.append("after");
  EXPECT_EQ(read_file(path), std::string(80, 'a') + "\nafter\n");
}

TEST(DirectoryLock, OneHolderAtATime) {
  const TemporaryFolder folder;
  {
    const DirectoryLock lock(folder / "run");
    EXPECT_THAT(error_of<UserError>([&] { DirectoryLock second(folder / "run"); }),
                AllOf(HasSubstr("run is in use by process " + std::to_string(getpid())),
                      HasSubstr("choose another folder")));
  }
  EXPECT_NO_THROW(DirectoryLock(folder / "run"));
}

TEST(DirectoryLock, WaitsForAProcessThatIsAboutToEnd) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const DirectoryLock lock(folder.path());
    if (write(ready[1], "x", 1) == 1) usleep(200000);
    kill(getpid(), SIGKILL);
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_NO_THROW(DirectoryLock(folder.path()));
  waitpid(child, nullptr, 0);
}

TEST(DirectoryLock, EndsWithItsProcess) {
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    const DirectoryLock lock(folder.path());
    kill(getpid(), SIGKILL);
  }
  waitpid(child, nullptr, 0);
  EXPECT_NO_THROW(DirectoryLock lock(folder.path()));
}

TEST(MappedFile, ShowsTheBytes) {
  const TemporaryFolder folder;
  put(folder / "x", "bytes");
  put(folder / "empty", "");
  MappedFile first(folder / "x");
  const MappedFile file(std::move(first));
  ASSERT_EQ(file.bytes().size(), 5U);
  EXPECT_EQ(std::memcmp(file.bytes().data(), "bytes", 5), 0);
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
}

TEST(Checksum, IsXxh3) {
  EXPECT_EQ(checksum(""), "2d06800538d394c2");  // XXH3's published value for no input, seed 0
  EXPECT_NE(checksum("a"), checksum("b"));
  EXPECT_EQ(checksum("a").size(), 16U);
}

}  // namespace
}  // namespace scion
