// Files that torch.save writes: .pt, .pth, .ckpt, .bin.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "scion/interchange/pickle.h"

namespace scion {

/// Reads the bytes of a file and executes nothing. Tensors are on the CPU; those that share a
/// storage still do. UserError, calling the file `name`, when it is damaged, of torch's format
/// before 1.6, a TorchScript archive, of another byte order, or holds anything but tensors,
/// numbers, strings, lists and dictionaries.
PickledValues parse_torch_file(std::string_view bytes, const std::string& name);

/// The tensors of a dictionary by name. UserError when it holds anything else.
std::map<std::string, at::Tensor> tensors_of(const PickledValue& dictionary,
                                             const std::string& name);

}  // namespace scion
