// The loops of kernels.h for AVX2 and FMA.
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

const ModelKernels& avx2_model_kernels() {
  static constexpr ModelKernels kernels = table("avx2");
  return kernels;
}

}  // namespace scion
