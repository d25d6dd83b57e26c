// How the program's allocator (jemalloc) is set: a training step frees and takes the same hundreds
// of megabytes over and over, so what is freed is kept, large blocks included.

// The name and the type are jemalloc's, read before main().
extern "C" const char* malloc_conf;  // NOLINT(readability-identifier-naming)
const char* malloc_conf = "dirty_decay_ms:-1,muzzy_decay_ms:-1,oversize_threshold:0";
