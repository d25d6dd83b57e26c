// Threads of tensor operations, and the processor's instruction sets.
#pragma once

#include <cstdint>
#include <string>

namespace scion {

/// Intra-op threads of libtorch for the calling thread's work (0: as many as processors).
void set_thread_count(int count);
int thread_count();
/// `wanted`, or as many as processors where that is more: threads that take turns on a processor
/// wait for each other at the end of every loop.
int useful_threads(int wanted);
/// set_thread_count(useful_threads(wanted)); 0 leaves the number as it is.
void use_threads(int64_t wanted);

/// Loader threads call this once: each of their tensor operations then uses one thread.
void use_one_thread_here();

struct Processor {
  bool avx2 = false, avx512 = false, avx512_bf16 = false;
  std::string name;
};
/// Found once at run time.
const Processor& processor();

}  // namespace scion
