#include "scion/training/run/run_folder.h"

#include "scion/core/error.h"
#include "scion/core/files/event_file.h"
#include "scion/core/log.h"
#include "scion/model/model_file.h"
#include "scion/training/config/changed_options.h"
#include "scion/training/run/checkpoint.h"

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

namespace {

std::string learnt_changes(const std::vector<OptionChange>& changes) {
  std::vector<std::string> texts;
  for (const OptionChange& change : changes)
    if (change.learnt) texts.push_back(change.text());
  return fmt::format("{}", fmt::join(texts, "; "));
}

bool changes(const std::vector<OptionChange>& changes, const std::string& key) {
  return std::any_of(changes.begin(), changes.end(),
                     [&](const OptionChange& change) { return change.key == key; });
}

void require_continuable(const std::vector<OptionChange>& changed, const fs::path& directory) {
  const std::string learnt = learnt_changes(changed);
  if (!learnt.empty())
    throw UserError(
        fmt::format("{} holds a run with other options: {}", directory.string(), learnt),
        changes(changed, "train.epochs")
            ? "set them back to continue it, or choose another --out; train.epochs may grow where "
              "neither the schedule nor another rate depends on it (train.schedule constant, noam)"
            : "set them back to continue it, or choose another --out");
  for (const OptionChange& change : changed) {
    const bool same_bytes = change.key != "train.threads" && change.key != "train.device";
    log_info("{}{}", change.text(),
             same_bytes ? "" : ": the run's weights may differ in their last digits");
  }
}

}  // namespace

bool is_finished_run(const fs::path& directory, const RunConfig& config) {
  const RunFiles files(directory);
  if (!files.is_finished() || !fs::exists(files.config())) return false;
  const auto changed = changed_options(read_written_config(files.config()), config);
  const std::string learnt = learnt_changes(changed);
  if (!learnt.empty() || changes(changed, "train.epochs"))
    throw UserError(
        fmt::format(
            "{} holds a finished run with other options: {}", directory.string(),
            learnt.empty() ? fmt::format("train.epochs is {}", config.train.epochs) : learnt),
        fmt::format("choose another --out; --train.init {} starts from its model",
                    files.model().string()));
  if (fs::exists(files.inputs()))
    require_same_inputs(RunInputs::unpack(read_safetensors(files.inputs())), inputs_of(config),
                        config);
  return true;
}

RunFolder::RunFolder(const RunConfig& config, const fs::path& directory)
    : files_(directory), lock_(directory) {
  if (files_.has_run())
    require_continuable(changed_options(read_written_config(files_.config()), config), directory);
  else
    record(config);
}

void RunFolder::record(const RunConfig& config) { write_file(files_.config(), config.to_toml()); }

void RunFolder::finish(const Transducer& model, const std::string& tokenizer,
                       const Provenance& provenance, const RunInputs& inputs) {
  write_safetensors(files_.inputs(), inputs.pack());
  save_model(files_.model(), model, tokenizer, provenance);
  fs::remove_all(files_.epochs());
  fs::remove_all(files_.checkpoints());
}

}  // namespace scion
