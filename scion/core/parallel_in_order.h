// Independent pieces of work side by side, with the results used in order.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "scion/core/threads.h"

namespace scion {

/// Calls `make(i)` for i = 0 … count − 1 on `workers` threads (0: as many as processors), whose
/// tensor operations use one thread each, and `use(i, result)` in the calling thread, in order,
/// each as soon as it can be. Some dozen results wait at most. Of exceptions the first in order is
/// thrown here; what is being made then is finished first.
template <class Result>
void work_in_order(size_t count, const std::function<Result(size_t)>& make,
                   const std::function<void(size_t, Result)>& use, size_t workers = 0) {
  struct Outcome {
    std::optional<Result> result;
    std::exception_ptr error;
  };
  constexpr size_t most_ahead = 64;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::optional<Outcome>> waiting(std::min(count, most_ahead));  // by i % size
  size_t begun = 0, used = 0;
  bool stopped = false;

  const auto work = [&] {
    use_one_thread_here();
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return stopped || begun == count || begun < used + most_ahead; });
      if (stopped || begun == count) return;
      const size_t i = begun++;
      lock.unlock();
      Outcome outcome;
      try {
        outcome.result.emplace(make(i));
      } catch (...) {
        outcome.error = std::current_exception();
      }
      lock.lock();
      waiting[i % waiting.size()] = std::move(outcome);
      changed.notify_all();
    }
  };
  const auto take = [&](size_t i) {
    std::unique_lock lock(mutex);
    std::optional<Outcome>& place = waiting[i % waiting.size()];
    changed.wait(lock, [&] { return place.has_value(); });
    Outcome outcome = *std::exchange(place, std::nullopt);
    ++used;
    changed.notify_all();
    return outcome;
  };
  if (workers == 0) workers = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  try {
    for (size_t i = 0; i < std::min(workers, count); ++i) threads.emplace_back(work);
    for (size_t i = 0; i < count; ++i) {
      Outcome outcome = take(i);
      if (outcome.error) std::rethrow_exception(outcome.error);
      use(i, *std::move(outcome.result));
    }
  } catch (...) {
    {
      const std::lock_guard lock(mutex);
      stopped = true;
    }
    changed.notify_all();
    throw;
  }
}

}  // namespace scion
