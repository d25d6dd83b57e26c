#include "scion/interchange/torch_file.h"

#include <cstring>

#include "scion/core/error.h"
#include "scion/interchange/zip_archive.h"

namespace scion {
namespace {

constexpr const char* save_again =
    "save it again with a present torch: torch.save(torch.load(FILE, map_location='cpu'), NEW)";
// An instruction makes a value of some hundred bytes.
constexpr size_t longest_pickle = size_t{16} << 20;

// The folder of all entries: "model_weights/" of "model_weights/data.pkl".
std::string folder_of(const ZipArchive& archive, const std::string& name) {
  const std::string file = "data.pkl";
  for (const auto& [entry, place] : archive.entries())
    if (entry.ends_with("/" + file) && entry.find('/') == entry.size() - file.size() - 1)
      return entry.substr(0, entry.size() - file.size());
  throw UserError(fmt::format("{}: a zip archive without a data.pkl", name),
                  "give a file that torch.save wrote");
}

void check_format(const ZipArchive& archive, const std::string& folder, const std::string& name) {
  if (archive.contains(folder + "constants.pkl"))
    throw UserError(fmt::format("{}: a TorchScript archive, which holds programs", name),
                    "give the checkpoint that it was made from");
  if (!archive.contains(folder + "byteorder")) return;
  const std::string_view order = archive.at(folder + "byteorder");
  if (order != "little")
    throw UserError(fmt::format("{}: its byte order is '{}'", name, order), save_again);
}

void check_is_zip(std::string_view bytes, const std::string& name) {
  if (ZipArchive::is_zip(bytes)) return;
  // The pickled magic number of torch's older format.
  constexpr std::string_view legacy = "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.";
  if (bytes.starts_with(legacy))
    throw UserError(fmt::format("{}: torch's format from before version 1.6", name), save_again);
  throw UserError(fmt::format("{}: not a file of torch.save", name),
                  bytes.empty() ? "it is empty: copy or download the file again"
                                : "copy or download the file again");
}

}  // namespace

PickledValues parse_torch_file(std::string_view bytes, const std::string& name) {
  check_is_zip(bytes, name);
  const ZipArchive archive(bytes, name);
  const std::string folder = folder_of(archive, name);
  check_format(archive, folder, name);
  const std::string_view pickle = archive.at(folder + "data.pkl");
  if (pickle.size() > longest_pickle)
    throw UserError(fmt::format("{}: its data.pkl has {} bytes, more than {}", name, pickle.size(),
                                longest_pickle),
                    "save the weights alone with torch.save(model.state_dict(), FILE)");
  const auto read = [&](const std::string& key, at::ScalarType type, int64_t count) {
    const std::string entry = folder + "data/" + key;
    const std::string_view content = archive.at(entry);
    const auto size = static_cast<int64_t>(c10::elementSize(type));
    if (count < 0 || static_cast<int64_t>(content.size()) / size != count ||
        static_cast<int64_t>(content.size()) % size != 0)
      throw UserError(fmt::format("{}: '{}' has {} bytes, and {} numbers of {} bytes are wanted",
                                  name, entry, content.size(), count, size),
                      "copy or download the file again");
    at::Tensor storage = at::empty({count}, type);
    if (count > 0) std::memcpy(storage.mutable_data_ptr(), content.data(), content.size());
    return storage;
  };
  return read_pickle(pickle, name + ": data.pkl", read);
}

std::map<std::string, at::Tensor> tensors_of(const PickledValue& dictionary,
                                             const std::string& name) {
  std::map<std::string, at::Tensor> tensors;
  if (dictionary.kind != PickledValue::Kind::dictionary)
    throw UserError(fmt::format("{}: no dictionary of tensors", name),
                    "save the weights alone with torch.save(model.state_dict(), FILE)");
  for (const auto& [key, value] : dictionary.pairs) {
    if (key->kind != PickledValue::Kind::text || value->kind != PickledValue::Kind::tensor)
      throw UserError(fmt::format("{}: '{}' is no tensor", name, key->text),
                      "save the weights alone with torch.save(model.state_dict(), FILE)");
    tensors[key->text] = value->tensor;
  }
  return tensors;
}

}  // namespace scion
