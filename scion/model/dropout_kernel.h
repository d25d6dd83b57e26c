// The dropout mask on the CPU: an element's number is a function of (key, place) only, the same for
// every instruction set.
#pragma once

#include <stdint.h>

namespace scion {

/// to[i] = from[i] · scale where the number of place `first + i` is at least `threshold`, else 0.
void scale_kept_portable(const float* from, float* to, int64_t count, uint32_t first, uint64_t key,
                         uint32_t threshold, float scale);
/// The same, compiled for AVX-512: call after processor().avx512 only.
void scale_kept_avx512(const float* from, float* to, int64_t count, uint32_t first, uint64_t key,
                       uint32_t threshold, float scale);

}  // namespace scion
