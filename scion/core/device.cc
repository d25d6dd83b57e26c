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

// Views of one copy of the tensors, which have one type and are on one device.
static std::vector<at::Tensor> download_together(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> flat, parts;
  for (const at::Tensor& tensor : tensors) flat.push_back(tensor.flatten());
  const at::Tensor all = at::cat(flat).cpu();
  int64_t first = 0;
  for (const at::Tensor& tensor : tensors) {
    parts.push_back(all.narrow(0, first, tensor.numel()).view(tensor.sizes()));
    first += tensor.numel();
  }
  return parts;
}

std::vector<at::Tensor> download(const std::vector<at::Tensor>& tensors) {
  constexpr int64_t kMostElements = int64_t{64} << 20;  // the gathered copy takes memory there, too
  std::vector<at::Tensor> result, together;
  int64_t elements = 0;
  const auto finish = [&] {
    if (together.empty()) return;
    for (at::Tensor& part : download_together(together)) result.push_back(std::move(part));
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
