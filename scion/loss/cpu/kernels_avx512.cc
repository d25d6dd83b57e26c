// The loops for AVX-512 (F, BW, VL, DQ).
#include <immintrin.h>
#include <stdint.h>

#include "scion/loss/cpu/kernels.h"

// GCC 12 warns of its own intrinsics' deliberately undefined registers.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

namespace scion {
namespace {
constexpr int kLanes = 16, kAccumulators = 24;
#include "scion/loss/cpu/kernels.inc"
}  // namespace

const LossKernels& avx512_loss_kernels() {
  static constexpr LossKernels kernels = table("avx512");
  return kernels;
}

}  // namespace scion
