// How the program's allocator (jemalloc) is set: a training step frees and takes the same hundreds
// of megabytes over and over, so what is freed is kept for ten seconds, large blocks included. Kept
// for ever, it would add up: batches differ in shape, and memory grew for hours.

// The name and the type are jemalloc's, read before main().
extern "C" const char* malloc_conf;  // NOLINT(readability-identifier-naming)
const char* malloc_conf = "dirty_decay_ms:10000,muzzy_decay_ms:10000,oversize_threshold:0";
