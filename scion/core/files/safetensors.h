// The safetensors file format: named tensors and a string-to-string metadata table.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scion {

struct SafeTensors {
  /// In file order. Contiguous CPU tensors; F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL.
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  std::map<std::string, std::string> metadata;

  /// UserError naming the tensor when it is absent.
  const at::Tensor& at(const std::string& name) const;
  bool contains(const std::string& name) const;
};

/// Reads and checks the whole file: header length and JSON, dtypes, shapes, offsets without holes
/// or overlaps. Every fault is a UserError that names the file and the place.
SafeTensors read_safetensors(const std::filesystem::path& path);
SafeTensors parse_safetensors(std::string_view bytes, const std::string& name);

/// The bytes of a file; header padded to 8 bytes, metadata sorted: equal input, equal bytes.
std::string serialise_safetensors(const SafeTensors& content);

/// serialise + write_file.
void write_safetensors(const std::filesystem::path& path, const SafeTensors& content);

}  // namespace scion
