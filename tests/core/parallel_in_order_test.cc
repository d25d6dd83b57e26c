#include "scion/core/parallel_in_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>

namespace scion {
namespace {

using ::testing::ElementsAre;

TEST(WorkInOrder, UsesEveryResultOnceInOrderInTheCallingThread) {
  const std::thread::id caller = std::this_thread::get_id();
  for (const size_t workers : {0, 1, 3}) {
    std::vector<size_t> used;
    work_in_order<size_t>(
        500,
        [&](size_t i) {
          EXPECT_NE(std::this_thread::get_id(), caller);
          EXPECT_EQ(thread_count(), 1);
          return i * i;
        },
        [&](size_t i, size_t square) {
          EXPECT_EQ(std::this_thread::get_id(), caller);
          EXPECT_EQ(square, i * i);
          used.push_back(i);
        },
        workers);
    std::vector<size_t> all(500);
    std::iota(all.begin(), all.end(), size_t{0});
    EXPECT_EQ(used, all);
  }
}

TEST(WorkInOrder, NoWorkIsDone) {
  work_in_order<int>(
      0, [](size_t) { return 1; }, [](size_t, int) { ADD_FAILURE(); });
}

TEST(WorkInOrder, AResultIsUsedBeforeLaterOnesAreMade) {
  std::atomic<bool> first_used = false;
  work_in_order<int>(
      2,
      [&](size_t i) {
        while (i == 1 && !first_used) std::this_thread::yield();
        return 0;
      },
      [&](size_t, int) { first_used = true; }, 2);
  EXPECT_TRUE(first_used);
}

TEST(WorkInOrder, FewResultsWaitForASlowOne) {
  std::atomic<size_t> made = 0;
  size_t most = 0;
  work_in_order<int>(
      1000,
      [&](size_t i) {
        if (i == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
        ++made;
        return 0;
      },
      [&](size_t i, int) { most = std::max(most, made - i); }, 2);
  EXPECT_LE(most, 70U);
}

TEST(WorkInOrder, TheFirstFailureInOrderEndsTheWork) {
  std::vector<size_t> used;
  std::atomic<size_t> made = 0;
  const auto run = [&] {
    work_in_order<size_t>(
        100000,
        [&](size_t i) {
          ++made;
          if (i == 3) throw std::runtime_error("three");
          if (i == 4) throw std::runtime_error("four");
          return i;
        },
        [&](size_t i, size_t) { used.push_back(i); }, 3);
  };
  EXPECT_THAT(run, ::testing::ThrowsMessage<std::runtime_error>("three"));
  EXPECT_THAT(used, ElementsAre(0, 1, 2));
  EXPECT_LT(made, 200U);
}

TEST(WorkInOrder, AFailureOfTheUserEndsTheWork) {
  const auto run = [&] {
    work_in_order<size_t>(
        1000, [&](size_t i) { return i; },
        [&](size_t i, size_t) {
          if (i == 5) throw std::runtime_error("full");
        },
        2);
  };
  EXPECT_THAT(run, ::testing::ThrowsMessage<std::runtime_error>("full"));
}

}  // namespace
}  // namespace scion
