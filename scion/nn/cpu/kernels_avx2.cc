// The loops of kernels.h for AVX2 and FMA.
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

const ModelKernels& avx2_model_kernels() {
  static constexpr ModelKernels kernels = table("avx2");
  return kernels;
}

}  // namespace scion
