// The size of a kernel's launch on a device, of the losses' kernels and of the layers'. No torch
// here.
#pragma once

#include <cstdint>

namespace scion {

/// Size of a launch: blocks of `threads`, with `shared_bytes` of shared memory each.
struct Launch {
  int64_t blocks;
  int threads;
  int64_t shared_bytes;
};

/// Lanes of a warp: threads that may exchange numbers without a block barrier.
inline constexpr int kWarp = 32;
inline constexpr int kBlock = 256;

}  // namespace scion
