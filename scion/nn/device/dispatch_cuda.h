// The layers' kernels on CUDA.
#pragma once

#include "scion/nn/device/kernels.h"

namespace scion {

struct ModelDevice;

/// Streams are cudaStream_t.
const ModelDeviceKernels& cuda_model_kernels();
const ModelDevice& cuda_model_device();

}  // namespace scion
