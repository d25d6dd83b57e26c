// How kernels' bodies run on a GPU: the Thread and the Launcher that kernels.inc describes.
// Included once by each .cu file.
#pragma once

#include <string>

#include "scion/core/device/launch.h"
#include "scion/core/error.h"

namespace scion {
namespace {

/// The position of a CUDA thread.
struct CudaThread {
  __device__ int64_t block() const { return blockIdx.x; }
  __device__ int index() const { return static_cast<int>(threadIdx.x); }
  __device__ int count() const { return static_cast<int>(blockDim.x); }
  __device__ void barrier() const { __syncthreads(); }
  __device__ void* shared() const {
    extern __shared__ double memory[];
    return memory;
  }
  __device__ void group_barrier(int group) const { __syncwarp(lanes_of(group)); }
  __device__ float exchange(float x, int other, int group) const {
    return __shfl_xor_sync(lanes_of(group), x, other, group);
  }

 private:
  /// The lanes of the thread's group: other groups of the warp may be elsewhere in the code.
  __device__ unsigned lanes_of(int group) const {
    if (group == kWarp) return 0xFFFFFFFFU;
    return ((1U << group) - 1) << (threadIdx.x % kWarp / group * group);
  }
};

template <class Body>
__global__ void __launch_bounds__(1024) run_body(const Body body) {
  body(CudaThread{});
}

struct CudaLauncher {
  template <class Body>
  static void run(const Launch& launch, const Body& body, void* stream) {
    if (launch.blocks == 0) return;
    run_body<<<static_cast<unsigned>(launch.blocks), static_cast<unsigned>(launch.threads),
               static_cast<size_t>(launch.shared_bytes), static_cast<cudaStream_t>(stream)>>>(body);
    const cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess)
      throw Failure(
          std::string("a kernel could not be launched: ") + cudaGetErrorString(error),
          "an earlier operation on the GPU may be at fault; CUDA_LAUNCH_BLOCKING=1 shows which");
  }
};

}  // namespace
}  // namespace scion
