#include <math.h>

#include "scion/core/device/launcher_cuda.h"
#include "scion/loss/device/dispatch_cuda.h"

namespace scion {
namespace {

#include "scion/loss/device/kernels.inc"

}  // namespace

const DeviceKernels& cuda_loss_kernels() {
  static const DeviceKernels kernels = Kernels<CudaLauncher>::table();
  return kernels;
}

}  // namespace scion
