// Devices by the names that users give.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace scion {

/// "cpu" or "cuda". UserError when there is no such device, or the program was built without it.
at::Device find_device(const std::string& name);

/// `tensor` on `device`. A copy from the CPU to a GPU goes through pinned memory and does not
/// synchronise.
at::Tensor upload(const at::Tensor& tensor, at::Device device);

/// `tensor`, on the CPU, where upload() to `device` need not copy it once more: in pinned memory
/// for a GPU. May be called by any thread.
at::Tensor staged(const at::Tensor& tensor, at::Device device);

/// The elements of tensors of one type and device, one after another (N), and such elements as
/// views with the tensors' shapes. Both are differentiable.
at::Tensor gathered(const std::vector<at::Tensor>& tensors);
std::vector<at::Tensor> views_as(const std::vector<at::Tensor>& tensors,
                                 const at::Tensor& elements);

/// The tensors on the CPU, contiguous. Those of a GPU are gathered there, and come in few copies.
std::vector<at::Tensor> download(const std::vector<at::Tensor>& tensors);

}  // namespace scion
