#include "scion/nn/device/dispatch.h"

#if SCION_CUDA
#include "scion/nn/device/dispatch_cuda.h"
#endif

namespace scion {

const ModelDevice* find_model_device(const at::Tensor& x) {
#if SCION_CUDA
  if (x.is_cuda()) return &cuda_model_device();
#endif
  (void)x;
  return nullptr;
}

}  // namespace scion
