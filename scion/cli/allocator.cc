// How the program's allocator (jemalloc) is set: a training step frees and takes the same hundreds
// of megabytes over and over, so what is freed is kept for ten seconds, large blocks included. Kept
// for ever, it would add up: batches differ in shape, and memory grew for hours.
#include <jemalloc/jemalloc.h>

// Read before main(); the name is jemalloc's.
// NOLINTNEXTLINE(readability-identifier-naming)
const char* malloc_conf = "dirty_decay_ms:10000,muzzy_decay_ms:10000,oversize_threshold:0";

namespace {

/// jemalloc 5.3 makes its first arena, the main thread's, before it has read its settings: that one
/// would give back every block of 8 MB and more at once.
[[maybe_unused]] const int first_arena = [] {
  size_t threshold = size_t{1} << 50;
  return mallctl("arena.0.oversize_threshold", nullptr, nullptr, &threshold, sizeof threshold);
}();

}  // namespace
