#include "scion/core/parallel.h"

#include <ATen/Parallel.h>

#include <atomic>

namespace scion {

void for_each_in_parallel(int64_t count, const std::function<void(int64_t)>& f) {
  std::atomic<int64_t> next = 0;
  // One long task per thread that takes the next piece: pieces differ in length.
  at::parallel_for(0, std::min<int64_t>(count, at::get_num_threads()), 1,
                   [&](int64_t begin, int64_t) {
                     (void)begin;
                     for (int64_t i = next++; i < count; i = next++) f(i);
                   });
}

}  // namespace scion
