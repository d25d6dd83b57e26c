// The loops of kernels.h for any processor.
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

const ModelKernels& portable_model_kernels() {
  static constexpr ModelKernels kernels = table("portable");
  return kernels;
}

}  // namespace scion
