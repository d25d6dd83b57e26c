// The loops for AVX2 with FMA.
#include <immintrin.h>
#include <stdint.h>

#include "scion/loss/cpu/kernels.h"

namespace scion {
namespace {
constexpr int kLanes = 8, kAccumulators = 12;
#include "scion/loss/cpu/kernels.inc"
}  // namespace

const LossKernels& avx2_loss_kernels() {
  static constexpr LossKernels kernels = table("avx2");
  return kernels;
}

}  // namespace scion
