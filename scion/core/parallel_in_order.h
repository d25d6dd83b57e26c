// Independent pieces of work on all processors, with the results used in order.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "scion/core/threads.h"

namespace scion {

/// Calls `make(i)` for i = 0 … count-1 on as many threads as there are processors, and
/// `use(i, result)` in the calling thread, in order. Some dozen results exist at a time. The
/// first exception is thrown here.
template <class Result>
void work_in_order(size_t count, const std::function<Result(size_t)>& make,
                   const std::function<void(size_t, Result)>& use) {
  constexpr size_t block_size = 64;
  const size_t workers = std::max(1u, std::thread::hardware_concurrency());
  for (size_t begin = 0; begin < count; begin += block_size) {
    const size_t size = std::min(block_size, count - begin);
    std::vector<std::optional<Result>> results(size);
    std::atomic<size_t> next{0};
    std::exception_ptr error;
    std::mutex error_mutex;
    const auto work = [&] {
      use_one_thread_here();
      try {
        for (size_t i; (i = next++) < size;) results[i].emplace(make(begin + i));
      } catch (...) {
        const std::lock_guard lock(error_mutex);
        if (!error) error = std::current_exception();
        next = size;
      }
    };
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < std::min(workers, size); ++i) threads.emplace_back(work);
    }
    if (error) std::rethrow_exception(error);
    for (size_t i = 0; i < size; ++i) use(begin + i, std::move(*results[i]));
  }
}

}  // namespace scion
