// Settings of the program's allocator, jemalloc. A training step frees and allocates the same
// hundreds of megabytes again and again, so freed memory is kept for ten seconds, large blocks
// included. Keeping it for ever would accumulate memory for hours, because batches differ in shape.
#include <jemalloc/jemalloc.h>

// Read by jemalloc before main(); the name is given.
// NOLINTNEXTLINE(readability-identifier-naming)
const char* malloc_conf = "dirty_decay_ms:10000,muzzy_decay_ms:10000,oversize_threshold:0";

namespace {

/// jemalloc 5.3 creates its first arena, the main thread's, before it reads its settings; that
/// arena would return every block of 8 MB or more immediately.
[[maybe_unused]] const int first_arena = [] {
  size_t threshold = size_t{1} << 50;
  return mallctl("arena.0.oversize_threshold", nullptr, nullptr, &threshold, sizeof threshold);
}();

}  // namespace
