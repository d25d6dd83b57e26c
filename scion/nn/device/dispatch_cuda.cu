#include <math.h>

#include "scion/core/device/launcher_cuda.h"
#include "scion/nn/device/dispatch_cuda.h"

namespace scion {
namespace {

#include "scion/nn/device/kernels.inc"

}  // namespace

const ModelDeviceKernels& cuda_model_kernels() {
  static const ModelDeviceKernels kernels = LayerKernels<CudaLauncher>::table();
  return kernels;
}

}  // namespace scion
