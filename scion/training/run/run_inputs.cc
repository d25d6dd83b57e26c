#include "scion/training/run/run_inputs.h"

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/folder_walk.h"
#include "scion/core/log.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

using Checksums = std::map<std::string, std::string>;

constexpr const char* ids_name = "training.ids";
constexpr const char* contents_name = "training.contents";

at::Tensor to_tensor(const std::vector<uint64_t>& hashes) {
  at::Tensor tensor = at::empty({static_cast<int64_t>(hashes.size())}, at::kLong);
  std::copy(hashes.begin(), hashes.end(), tensor.data_ptr<int64_t>());
  return tensor;
}

std::vector<uint64_t> to_hashes(const at::Tensor& tensor) {
  const int64_t* const first = tensor.const_data_ptr<int64_t>();
  return {first, first + tensor.numel()};
}

// A folder's files by name and size, without hidden ones, which augmentation passes over, too: its
// recordings need not be read.
std::string folder_checksum(const fs::path& folder) {
  std::string names;
  for (const fs::path& file : files_under(folder, [](const std::string&) { return true; }))
    names += fmt::format("{} {}\n", file.lexically_relative(folder).string(), fs::file_size(file));
  return checksum(names);
}

std::string content_checksum(const fs::path& path) {
  if (fs::is_directory(path)) return folder_checksum(path);
  return fs::is_regular_file(path) ? file_checksum(path) : "";
}

std::string first_difference(const Checksums& before, const Checksums& now) {
  for (const auto& [key, sum] : now)
    if (const auto found = before.find(key); found != before.end() && found->second != sum)
      return key;
  return "";
}

}  // namespace

SafeTensors RunInputs::pack() const {
  SafeTensors content;
  content.tensors = {{ids_name, to_tensor(training.ids)},
                     {contents_name, to_tensor(training.contents)}};
  content.metadata["evaluation"] = nlohmann::json(evaluation).dump();
  content.metadata["files"] = nlohmann::json(files).dump();
  return content;
}

RunInputs RunInputs::unpack(const SafeTensors& content) {
  RunInputs inputs;
  inputs.training = {to_hashes(content.at(ids_name)), to_hashes(content.at(contents_name))};
  nlohmann::json::parse(content.metadata.at("evaluation")).get_to(inputs.evaluation);
  nlohmann::json::parse(content.metadata.at("files")).get_to(inputs.files);
  return inputs;
}

RunInputs inputs_of(const RunConfig& config) {
  RunInputs inputs{.training = list_utterances(config.data.train)};
  for (const NamedManifest& set : config.data.evaluation)
    inputs.evaluation[set.name] = list_utterances({set.path}).checksum();
  RunConfig copy = config;
  Options options;
  copy.declare(options);
  // Paths that may be others are checked elsewhere, or do not change what is learnt.
  for (const auto& option : options.all())
    if (option->is_path() && !option->is_adjustable() && option->value().is_string())
      inputs.files[option->key()] = content_checksum(option->value().get<std::string>());
  return inputs;
}

void require_same_inputs(const RunInputs& before, const RunInputs& now, const RunConfig& config) {
  if (const std::string change = change_text(before.training, now.training); !change.empty()) {
    if (!config.train.allow_changed_data)
      throw UserError(
          fmt::format("the training data has changed since the run's checkpoint: {}", change),
          "restore the manifests, choose another --out to train anew, or continue on the changed "
          "data with --train.allow_changed_data true");
    log_warning("continues on training data that has changed since the checkpoint: {}", change);
  }
  if (const std::string key = first_difference(before.files, now.files); !key.empty())
    throw UserError(fmt::format("{}: its content has changed since the run's checkpoint", key),
                    "restore it to continue the run, or choose another --out to train anew");
  if (const std::string name = first_difference(before.evaluation, now.evaluation); !name.empty())
    log_warning(
        "the evaluation set '{}' has changed since the checkpoint: its error rates before and "
        "after do not compare",
        name);
}

}  // namespace scion
