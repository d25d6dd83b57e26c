#include "scion/core/threads.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace scion {
namespace {

// Two OpenMP runtimes in one process would each start their own threads.
TEST(Threads, MoreThanProcessorsAreNotUseful) {
  EXPECT_EQ(useful_threads(1), 1);
  EXPECT_EQ(useful_threads(1 << 20), useful_threads(1 << 21));
  EXPECT_LT(useful_threads(1 << 20), 1 << 20);
}

TEST(Threads, OneOpenMpRuntimeIsLoaded) {
  std::set<std::string> runtimes;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const size_t slash = line.find('/');
    if (slash == std::string::npos) continue;
    const std::string path = line.substr(slash);
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name.starts_with("libgomp") || name.starts_with("libomp") || name.starts_with("libiomp"))
      runtimes.insert(path);
  }
  EXPECT_EQ(runtimes.size(), 1U) << ::testing::PrintToString(runtimes);
}

size_t threads_that_work() {
  std::mutex mutex;
  std::set<std::thread::id> seen;
  at::parallel_for(0, 2, 1, [&](int64_t, int64_t) {
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  return seen.size();
}

TEST(Threads, TwoThreadsWorkOnOneOperation) {
  const int before = thread_count();
  set_thread_count(2);
  EXPECT_EQ(thread_count(), 2);
  EXPECT_EQ(threads_that_work(), 2U);
  set_thread_count(1);
  EXPECT_EQ(threads_that_work(), 1U);
  set_thread_count(before);
}

TEST(Threads, ZeroMeansEveryProcessor) {
  const int before = thread_count();
  set_thread_count(0);
  EXPECT_EQ(thread_count(), static_cast<int>(std::thread::hardware_concurrency()));
  set_thread_count(before);
}

TEST(Threads, LoaderThreadsUseOneAndLeaveTheOthersAlone) {
  const int before = thread_count();
  set_thread_count(2);
  int there = 0, later = 0;
  size_t working = 0;
  std::thread([&] {
    use_one_thread_here();
    there = thread_count();
    working = threads_that_work();
  }).join();
  std::thread([&] { later = thread_count(); }).join();
  EXPECT_EQ(there, 1);
  EXPECT_EQ(working, 1U);
  EXPECT_EQ(later, 2);
  EXPECT_EQ(thread_count(), 2);
  set_thread_count(before);
}

TEST(Processor, IsKnownAndConsistent) {
  const Processor& found = processor();
  EXPECT_FALSE(found.name.empty());
  EXPECT_LE(found.avx512_bf16, found.avx512);
  EXPECT_LE(found.avx512, found.avx2);
}

}  // namespace
}  // namespace scion
