// The transducer losses' kernels on CUDA. Internal to scion/loss.
#pragma once

#include "scion/loss/device/kernels.h"

namespace scion {

struct LossDevice;

/// Streams are cudaStream_t.
const DeviceKernels& cuda_loss_kernels();
const LossDevice& cuda_loss_device();

}  // namespace scion
