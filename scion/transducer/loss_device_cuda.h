// The transducer losses' kernels on CUDA. Internal to scion/transducer.
#pragma once

#include "scion/transducer/device_kernels.h"

namespace scion {

struct LossDevice;

/// Streams are cudaStream_t.
const DeviceKernels& cuda_loss_kernels();
const LossDevice& cuda_loss_device();

}  // namespace scion
