// What tests on a GPU share. A build without CUDA, or a machine without a GPU, skips them.
#pragma once

#include <ATen/ATen.h>

#if SCION_CUDA
#include <c10/cuda/CUDAFunctions.h>
#endif

namespace scion::testing {

inline bool has_gpu() { return at::globalContext().hasCUDA(); }

/// While one lives, an operation that waits for the GPU is an error (where libtorch detects it).
class NoWaitingForTheGpu {
 public:
  NoWaitingForTheGpu() { set(true); }
  ~NoWaitingForTheGpu() { set(false); }
  NoWaitingForTheGpu(const NoWaitingForTheGpu&) = delete;
  NoWaitingForTheGpu& operator=(const NoWaitingForTheGpu&) = delete;

 private:
  static void set(bool forbidden) {
#if SCION_CUDA
    using Mode = c10::cuda::SyncDebugMode;
    c10::cuda::warning_state().set_sync_debug_mode(forbidden ? Mode::L_ERROR : Mode::L_DISABLED);
#endif
    (void)forbidden;
  }
};

}  // namespace scion::testing
