#include "scion/training/run_folder.h"

#include "scion/core/error.h"
#include "scion/core/files/event_file.h"
#include "scion/model/model_file.h"
#include "scion/training/checkpoint.h"

namespace scion {
namespace fs = std::filesystem;

fs::path RunFiles::epoch_weights(int64_t epoch) const {
  return epochs() / fmt::format("epoch-{:04}.safetensors", epoch);
}

bool RunFiles::has_run() const { return fs::exists(config()) && fs::exists(updates()); }

bool RunFiles::is_finished() const { return fs::exists(model()); }

std::vector<std::string> RunFiles::present() const {
  std::vector<std::string> names;
  for (const fs::path& path : {model(), config(), updates(), results(), skipped(), log()})
    if (fs::exists(path)) names.push_back(path.filename().string());
  for (const fs::path& path : event_files(directory_)) names.push_back(path.filename().string());
  return names;
}

std::vector<std::string> RunFiles::checkpoint_names() const {
  std::vector<std::string> names;
  for (const fs::path& folder : checkpoint_folders(checkpoints()))
    names.push_back(fs::relative(folder, directory_).string());
  return names;
}

bool is_finished_run(const fs::path& directory, const RunConfig& config) {
  const RunFiles files(directory);
  return files.is_finished() && fs::exists(files.config()) &&
         is_configuration(files.config(), config);
}

RunFolder::RunFolder(const RunConfig& config, const fs::path& directory)
    : files_(directory), lock_(directory) {
  if (!files_.has_run()) {
    write_file(files_.config(), config.to_toml());
  } else if (!is_configuration(files_.config(), config)) {
    throw UserError(fmt::format("{} holds a run with another configuration", directory.string()),
                    "choose another --out, or remove the folder to start afresh");
  }
}

void RunFolder::finish(const Transducer& model, const std::string& tokenizer,
                       const Provenance& provenance) {
  save_model(files_.model(), model, tokenizer, provenance);
  fs::remove_all(files_.epochs());
  fs::remove_all(files_.checkpoints());
}

}  // namespace scion
