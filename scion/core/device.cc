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
  return staged(tensor, device).to(tensor.options().device(device), /*non_blocking=*/true);
}

at::Tensor staged(const at::Tensor& tensor, at::Device device) {
  return device.is_cuda() ? tensor.pin_memory() : tensor;
}

at::Tensor gathered(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> flat;
  for (const at::Tensor& tensor : tensors) flat.push_back(tensor.flatten());
  return at::cat(flat);
}

std::vector<at::Tensor> views_as(const std::vector<at::Tensor>& tensors,
                                 const at::Tensor& elements) {
  std::vector<at::Tensor> views;
  int64_t first = 0;
  for (const at::Tensor& tensor : tensors) {
    views.push_back(elements.narrow(0, first, tensor.numel()).view(tensor.sizes()));
    first += tensor.numel();
  }
  return views;
}

std::vector<at::Tensor> download(const std::vector<at::Tensor>& tensors) {
  constexpr int64_t kMostElements = int64_t{64} << 20;  // the gathered copy takes memory there, too
  std::vector<at::Tensor> result, together;
  int64_t elements = 0;
  const auto finish = [&] {
    if (together.empty()) return;
    for (at::Tensor& part : views_as(together, gathered(together).cpu()))
      result.push_back(std::move(part));
    together.clear();
    elements = 0;
  };
  for (const at::Tensor& tensor : tensors) {
    const at::Tensor own = tensor.detach();
    const bool joins = !together.empty() && together.back().device() == own.device() &&
                       together.back().scalar_type() == own.scalar_type() &&
                       elements + own.numel() <= kMostElements;
    if (!joins || own.is_cpu()) finish();
    if (own.is_cpu()) {
      result.push_back(own.contiguous());
      continue;
    }
    together.push_back(own);
    elements += own.numel();
  }
  finish();
  return result;
}

}  // namespace scion
