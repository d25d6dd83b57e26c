#include "scion/core/files/safetensors.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/text_lines.h"

namespace scion {
namespace {

using nlohmann::json;

constexpr uint64_t length_bytes = 8;
constexpr uint64_t longest_header = 100'000'000;  // the format's own limit

struct Dtype {
  const char* name;
  at::ScalarType type;
};
constexpr std::array<Dtype, 10> dtypes{{{"F64", at::kDouble},
                                        {"F32", at::kFloat},
                                        {"F16", at::kHalf},
                                        {"BF16", at::kBFloat16},
                                        {"I64", at::kLong},
                                        {"I32", at::kInt},
                                        {"I16", at::kShort},
                                        {"I8", at::kChar},
                                        {"U8", at::kByte},
                                        {"BOOL", at::kBool}}};

/// A tensor as the header describes it; offsets count from the end of the header.
struct Entry {
  std::string name;
  at::ScalarType type;
  std::vector<int64_t> shape;
  uint64_t begin, end;
};

[[noreturn]] void broken(const std::string& file, const std::string& what) {
  throw UserError(fmt::format("{} is not a sound safetensors file: {}", file, what),
                  "copy or make the file again");
}

json parse_header(std::string_view text, const std::string& file) {
  std::set<std::string> names;
  const auto refuse_doubles = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1 &&
        !names.insert(parsed.get<std::string>()).second)
      broken(file, fmt::format("the header names {} twice", parsed.dump()));
    return true;
  };
  json header;
  try {
    header = json::parse(text, refuse_doubles);
  } catch (const json::exception& error) {
    broken(file, fmt::format("the header is not JSON ({})", error.what()));
  }
  if (!header.is_object()) broken(file, "the header is not a JSON object");
  return header;
}

uint64_t unsigned_number(const json& value, const std::string& file, const std::string& place) {
  if (!value.is_number_unsigned())
    broken(file, fmt::format("{} must be a whole number ≥ 0, is {}", place, value.dump()));
  const auto number = value.get<uint64_t>();
  if (number > static_cast<uint64_t>(INT64_MAX))
    broken(file, fmt::format("{} is too large: {}", place, number));
  return number;
}

const json& array_field(const json& tensor, const char* field, const std::string& file,
                        const std::string& name) {
  const auto found = tensor.find(field);
  if (found == tensor.end() || !found->is_array())
    broken(file, fmt::format("tensor '{}' has no array '{}'", name, field));
  return *found;
}

at::ScalarType dtype_of(const json& tensor, const std::string& file, const std::string& name) {
  const json dtype = tensor.value("dtype", json());
  for (const Dtype& known : dtypes)
    if (dtype == known.name) return known.type;
  broken(file, fmt::format("tensor '{}' has the unknown dtype {}", name, dtype.dump()));
}

Entry parse_entry(const std::string& name, const json& tensor, const std::string& file) {
  if (!tensor.is_object()) broken(file, fmt::format("'{}' is not described by an object", name));
  Entry entry{
      .name = name, .type = dtype_of(tensor, file, name), .shape = {}, .begin = 0, .end = 0};
  uint64_t bytes = c10::elementSize(entry.type);
  for (const json& size : array_field(tensor, "shape", file, name)) {
    const uint64_t n = unsigned_number(size, file, fmt::format("the shape of tensor '{}'", name));
    entry.shape.push_back(static_cast<int64_t>(n));
    if (__builtin_mul_overflow(bytes, n, &bytes))
      broken(file, fmt::format("the shape of tensor '{}' is too large", name));
  }
  const json& offsets = array_field(tensor, "data_offsets", file, name);
  if (offsets.size() != 2) broken(file, fmt::format("tensor '{}' needs two data_offsets", name));
  const std::string place = fmt::format("data_offsets of tensor '{}'", name);
  entry.begin = unsigned_number(offsets[0], file, place);
  entry.end = unsigned_number(offsets[1], file, place);
  if (entry.end < entry.begin || entry.end - entry.begin != bytes)
    broken(file, fmt::format("tensor '{}' needs {} bytes by its dtype and shape, its data_offsets "
                             "are [{}, {}]",
                             name, bytes, entry.begin, entry.end));
  return entry;
}

std::map<std::string, std::string> parse_metadata(const json& table, const std::string& file) {
  if (!table.is_object()) broken(file, "__metadata__ is not an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : table.items()) {
    if (!value.is_string()) broken(file, fmt::format("__metadata__ '{}' is not a string", key));
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// In file order the tensors must cover the data without a hole or an overlap.
void check_cover(std::vector<Entry>& entries, uint64_t data_bytes, const std::string& file) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at)
      broken(
          file,
          fmt::format("tensor '{}' begins at byte {} of the data, but {} at byte {}", entry.name,
                      entry.begin,
                      entry.begin > at ? "there is a hole" : "another tensor reaches over it", at));
    at = entry.end;
  }
  if (at != data_bytes)
    broken(file, fmt::format("the tensors need {} bytes of data, the file holds {}{}", at,
                             data_bytes, at > data_bytes ? " (cut short?)" : ""));
}

at::Tensor copy_tensor(const Entry& entry, std::string_view data, const std::string& file) {
  at::Tensor tensor = at::empty(entry.shape, at::TensorOptions().dtype(entry.type));
  const std::string_view bytes = data.substr(entry.begin, entry.end - entry.begin);
  if (entry.type == at::kBool)  // another value than 0 and 1 is no bool in C++
    for (size_t i = 0; i < bytes.size(); ++i)
      if (static_cast<unsigned char>(bytes[i]) > 1)
        broken(file, fmt::format("tensor '{}' of dtype BOOL has the value {} at {}", entry.name,
                                 static_cast<unsigned char>(bytes[i]), i));
  if (!bytes.empty()) std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < length_bytes; ++i)
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

const char* dtype_name(at::ScalarType type, const std::string& tensor) {
  for (const Dtype& known : dtypes)
    if (known.type == type) return known.name;
  throw Failure(fmt::format("tensor '{}' has the dtype {}, which safetensors files cannot hold",
                            tensor, c10::toString(type)));
}

std::string header_text(const json& header) {
  try {
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return text;
  } catch (const json::type_error& error) {
    throw Failure(fmt::format("a tensor's name or the metadata is not UTF-8 ({})", error.what()));
  }
}

}  // namespace

const at::Tensor& SafeTensors::at(const std::string& name) const {
  for (const auto& [key, tensor] : tensors)
    if (key == name) return tensor;
  throw UserError(fmt::format("there is no tensor '{}'", name));
}

bool SafeTensors::contains(const std::string& name) const {
  return std::any_of(tensors.begin(), tensors.end(),
                     [&](const auto& item) { return item.first == name; });
}

SafeTensors parse_safetensors(std::string_view bytes, const std::string& name) {
  if (bytes.size() < length_bytes)
    broken(name, fmt::format("{} bytes are too few for the header's length", bytes.size()));
  const uint64_t header_bytes = little_endian(bytes);
  if (header_bytes > longest_header || header_bytes > bytes.size() - length_bytes)
    broken(name, fmt::format("the header's length is {} bytes, the file has {}", header_bytes,
                             bytes.size()));
  const json header = parse_header(bytes.substr(length_bytes, header_bytes), name);
  const std::string_view data = bytes.substr(length_bytes + header_bytes);

  SafeTensors content;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key == "__metadata__")
      content.metadata = parse_metadata(value, name);
    else
      entries.push_back(parse_entry(key, value, name));
  }
  check_cover(entries, data.size(), name);
  for (const Entry& entry : entries)
    content.tensors.emplace_back(entry.name, copy_tensor(entry, data, name));
  return content;
}

SafeTensors read_safetensors(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string_view bytes(reinterpret_cast<const char*>(file.bytes().data()),
                               file.bytes().size());
  refuse_lfs_pointer(bytes, path);
  return parse_safetensors(bytes, path.string());
}

std::string serialise_safetensors(const SafeTensors& content) {
  json header = json::object();
  if (!content.metadata.empty()) header["__metadata__"] = content.metadata;
  uint64_t at = 0;
  for (const auto& [name, tensor] : content.tensors) {
    if (header.contains(name) || name == "__metadata__")
      throw Failure(fmt::format("two tensors have the name '{}'", name));
    const uint64_t end = at + tensor.nbytes();
    header[name] = {{"dtype", dtype_name(tensor.scalar_type(), name)},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {at, end}}};
    at = end;
  }
  const std::string text = header_text(header);
  std::string bytes(length_bytes, '\0');
  for (size_t i = 0; i < length_bytes; ++i) bytes[i] = static_cast<char>(text.size() >> (8 * i));
  bytes.reserve(length_bytes + text.size() + at);
  bytes += text;
  for (const auto& [name, tensor] : content.tensors) {
    const at::Tensor flat = tensor.detach().cpu().contiguous();
    bytes.append(static_cast<const char*>(flat.const_data_ptr()), flat.nbytes());
  }
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const SafeTensors& content) {
  write_file(path, serialise_safetensors(content));
}

}  // namespace scion
