// The loops for any processor, in vectors of 16 bytes.
#include <stdint.h>

#include "scion/loss/cpu/kernels.h"

namespace scion {
namespace {
constexpr int kLanes = 4, kAccumulators = 12;
#include "scion/loss/cpu/kernels.inc"
}  // namespace

const LossKernels& portable_loss_kernels() {
  static constexpr LossKernels kernels = table("portable");
  return kernels;
}

}  // namespace scion
