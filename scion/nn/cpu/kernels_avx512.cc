// The loops of kernels.h for AVX-512 (F, BW, VL, DQ).
#include <stdint.h>

#include "scion/nn/cpu/kernels.h"

namespace scion {
namespace {
#include "scion/nn/cpu/kernels.inc"
#include "scion/nn/cpu/kernels_attention.inc"
#include "scion/nn/cpu/kernels_attention_bands.inc"
#include "scion/nn/cpu/kernels_convolution.inc"
#include "scion/nn/cpu/kernels_subsampling.inc"
#include "scion/nn/cpu/kernels_table.inc"
}  // namespace

const ModelKernels& avx512_model_kernels() {
  static constexpr ModelKernels kernels = table("avx512");
  return kernels;
}

}  // namespace scion
