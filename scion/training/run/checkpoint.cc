#include "scion/training/run/checkpoint.h"

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/log.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

constexpr const char* prefix = "update-";
constexpr const char* model_name = "model.safetensors";
constexpr const char* state_name = "state.safetensors";
constexpr const char* inputs_name = "inputs.safetensors";
constexpr const char* description_name = "checkpoint.json";

Checkpoint read_checkpoint(const fs::path& folder) {
  const nlohmann::json description = nlohmann::json::parse(read_file(folder / description_name));
  const auto part = [&](const std::string& name) {
    const std::string bytes = read_file(folder / name);
    if (checksum(bytes) != description.at("checksums").at(name).get<std::string>())
      throw UserError(fmt::format("{}: the checksum is wrong", (folder / name).string()));
    return parse_safetensors(bytes, (folder / name).string());
  };
  Checkpoint checkpoint;
  checkpoint.model = part(model_name);
  checkpoint.state = part(state_name);
  if (description.at("checksums").contains(inputs_name)) checkpoint.inputs = part(inputs_name);
  TrainingPosition& position = checkpoint.position;
  description.at("update").get_to(position.update);
  description.at("epoch").get_to(position.epoch);
  description.at("batch").get_to(position.batch);
  description.at("training_seconds").get_to(position.training_seconds);
  description.at("epoch_loss").get_to(position.epoch_loss);
  return checkpoint;
}

}  // namespace

std::vector<fs::path> checkpoint_folders(const fs::path& directory) {
  std::vector<fs::path> folders;
  if (!fs::exists(directory)) return folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory))
    if (entry.is_directory() && entry.path().filename().string().rfind(prefix, 0) == 0 &&
        entry.path().extension().empty())
      folders.push_back(entry.path());
  // Names sort by update.
  std::sort(folders.begin(), folders.end());
  return folders;
}

fs::path checkpoint_model(const fs::path& folder) { return folder / model_name; }

void save_checkpoint(const fs::path& directory, const Checkpoint& checkpoint, int64_t keep) {
  fs::create_directories(directory);
  const TrainingPosition& position = checkpoint.position;
  const fs::path target = directory / fmt::format("{}{:08}", prefix, position.update);
  if (!fs::exists(target)) {
    PendingDirectory folder(target);
    nlohmann::json description = {{"update", position.update},
                                  {"epoch", position.epoch},
                                  {"batch", position.batch},
                                  {"training_seconds", position.training_seconds},
                                  {"epoch_loss", position.epoch_loss}};
    const auto part = [&](const std::string& name, const SafeTensors& content) {
      const std::string bytes = serialise_safetensors(content);
      description["checksums"][name] = checksum(bytes);
      write_file(folder.path() / name, bytes);
    };
    part(model_name, checkpoint.model);
    part(state_name, checkpoint.state);
    part(inputs_name, checkpoint.inputs);
    write_file(folder.path() / description_name, description.dump(1) + "\n");
    folder.commit();
  }
  const std::vector<fs::path> folders = checkpoint_folders(directory);
  for (size_t i = 0; i + static_cast<size_t>(keep) < folders.size(); ++i)
    fs::remove_all(folders[i]);
}

std::optional<Checkpoint> load_newest_checkpoint(const fs::path& directory) {
  const std::vector<fs::path> folders = checkpoint_folders(directory);
  for (size_t i = folders.size(); i-- > 0;) {
    try {
      return read_checkpoint(folders[i]);
    } catch (const std::exception& error) {  // whatever is wrong with it, an older one may be whole
      log_warning("{} is skipped: {}", folders[i].string(), error.what());
    }
  }
  return std::nullopt;
}

}  // namespace scion
