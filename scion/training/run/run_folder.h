// The folder of a training run: the names of its files, its lock, its configuration, its end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "scion/core/files/file.h"
#include "scion/model/provenance.h"
#include "scion/model/transducer.h"
#include "scion/training/config/run_config.h"
#include "scion/training/run/run_inputs.h"

namespace scion {

/// Paths in a run's folder. Nothing else spells these names.
class RunFiles {
 public:
  explicit RunFiles(std::filesystem::path directory) : directory_(std::move(directory)) {}

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path config() const { return directory_ / "config.toml"; }
  std::filesystem::path updates() const { return directory_ / "updates.jsonl"; }
  std::filesystem::path results() const { return directory_ / "results.jsonl"; }
  std::filesystem::path skipped() const { return directory_ / "skipped.jsonl"; }
  std::filesystem::path model() const { return directory_ / "model.safetensors"; }
  /// What a finished run was trained on: RunInputs.
  std::filesystem::path inputs() const { return directory_ / "inputs.safetensors"; }
  std::filesystem::path checkpoints() const { return directory_ / "checkpoints"; }
  /// Measured runs have these three: the path of the weights, the loss along the line from start to
  /// end, and the first weights.
  std::filesystem::path measures() const { return directory_ / "measures.jsonl"; }
  std::filesystem::path loss_line() const { return directory_ / "loss_line.json"; }
  std::filesystem::path first_weights() const { return directory_ / "first.safetensors"; }
  /// Weights after single epochs, for their average; removed at the end.
  std::filesystem::path epochs() const { return directory_ / "epochs"; }
  std::filesystem::path epoch_weights(int64_t epoch) const;
  /// Standard error of a run that a study started.
  std::filesystem::path log() const { return directory_ / "log.txt"; }

  /// Whether a run has begun: it has a configuration and a log of updates.
  bool has_run() const;
  bool is_finished() const;
  /// Names, relative to the folder, of the files that are there; TensorBoard's event files last.
  std::vector<std::string> present() const;
  /// Names of whole checkpoints, relative to the folder, oldest first.
  std::vector<std::string> checkpoint_names() const;

 private:
  std::filesystem::path directory_;
};

/// Whether the folder holds a finished run of that configuration. UserError naming what differs
/// when it holds one of another configuration, or its training data has changed since.
bool is_finished_run(const std::filesystem::path& directory, const RunConfig& config);

/// The folder of a run at work, locked against other processes.
class RunFolder {
 public:
  /// Makes the folder. UserError when another process works in it, or when it holds a run whose
  /// options differ in what is learnt, naming each with both values (a run that failed before its
  /// first update is replaced).
  RunFolder(const RunConfig& config, const std::filesystem::path& directory);

  const RunFiles& files() const { return files_; }

  /// Writes config.toml.
  void record(const RunConfig& config);
  /// Writes the model, then removes what only continuing needs.
  void finish(const Transducer& model, const std::string& tokenizer, const Provenance& provenance,
              const RunInputs& inputs);

 private:
  RunFiles files_;
  DirectoryLock lock_;
};

}  // namespace scion
