// Parallel loops over independent pieces of work.
#pragma once

#include <cstdint>
#include <functional>

namespace scion {

/// Calls f(0) … f(count − 1), each once, on as many threads as libtorch uses.
void for_each_in_parallel(int64_t count, const std::function<void(int64_t)>& f);

}  // namespace scion
