// The loops of kernels.h for AVX-512 (F, BW, VL, DQ).
#include <stdint.h>

#include "scion/model/kernels.h"

namespace scion {
namespace {
#include "scion/model/kernels.inc"
#include "scion/model/kernels_attention.inc"
#include "scion/model/kernels_convolution.inc"
#include "scion/model/kernels_subsampling.inc"
#include "scion/model/kernels_table.inc"
}  // namespace

const ModelKernels& avx512_model_kernels() {
  static constexpr ModelKernels kernels = table("avx512");
  return kernels;
}

}  // namespace scion
