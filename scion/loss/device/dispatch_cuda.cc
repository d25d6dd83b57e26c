#include "scion/loss/device/dispatch_cuda.h"

#include <c10/cuda/CUDAStream.h>

#include "scion/loss/device/dispatch.h"

namespace scion {
namespace {

void* current_cuda_stream() { return c10::cuda::getCurrentCUDAStream().stream(); }

void multiply_on_cuda(const at::Tensor& a, const at::Tensor& b, at::Tensor& out) {
  if (a.scalar_type() == at::kFloat)
    at::mm_out(out, a, b);
  else
    at::mm_out(out, a, b, at::kFloat);
}

}  // namespace

const LossDevice& cuda_loss_device() {
  static const LossDevice device = {cuda_loss_kernels(), current_cuda_stream, multiply_on_cuda};
  return device;
}

}  // namespace scion
