#include "scion/core/device.h"

#include "scion/core/error.h"

namespace scion {

at::Device find_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  if (name != "cuda")
    throw UserError(fmt::format("there is no device '{}'", name), "devices: cpu, cuda");
  if (!at::globalContext().hasCUDA())
    throw UserError("this scion cannot use a GPU: it was built without CUDA, or sees no GPU",
                    "'make cuda' builds build/cuda/bin/scion; or give --device cpu");
  return at::kCUDA;
}

at::Tensor upload(const at::Tensor& tensor, at::Device device) {
  if (!tensor.is_cpu() || !device.is_cuda()) return tensor.to(device);
  return tensor.pin_memory().to(tensor.options().device(device), /*non_blocking=*/true);
}

}  // namespace scion
