// The layers' kernels on a device with its own memory and stream of work. Nothing here synchronises
// the device.
#pragma once

#include <ATen/core/Tensor.h>

#include "scion/nn/device/kernels.h"

namespace scion {

/// The operations of a device. dispatch_cuda.cc has those of CUDA; tests use a device that runs the
/// kernels' bodies on the CPU.
struct ModelDevice {
  ModelDeviceKernels kernels;
  /// The stream that libtorch's operations currently run on.
  void* (*stream)();
};

/// The device that holds x; nullptr for the CPU, and for one that this program has no kernels for.
const ModelDevice* find_model_device(const at::Tensor& x);

}  // namespace scion
