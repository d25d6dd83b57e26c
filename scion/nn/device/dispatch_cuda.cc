#include "scion/nn/device/dispatch_cuda.h"

#include <c10/cuda/CUDAStream.h>

#include "scion/nn/device/dispatch.h"

namespace scion {

static void* stream_of_libtorch() { return c10::cuda::getCurrentCUDAStream().stream(); }

const ModelDevice& cuda_model_device() {
  static const ModelDevice device = {cuda_model_kernels(), stream_of_libtorch};
  return device;
}

}  // namespace scion
