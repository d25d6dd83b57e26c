// The loops of kernels.h for any processor.
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

const ModelKernels& portable_model_kernels() {
  static constexpr ModelKernels kernels = table("portable");
  return kernels;
}

}  // namespace scion
