// Summary of a run's folder: configuration, data, progress, results.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "scion/training/config/run_config.h"

namespace scion {

/// A set's error rates (in %) over a run.
struct SetRecord {
  std::string name;
  int64_t evaluations = 0;
  int64_t last_epoch = 0, best_epoch = 0;  ///< the first of equal ones
  double last_wer = 0, best_wer = 0;
};

struct ManifestRecord {
  std::string path;
  std::optional<int64_t> utterances;  ///< nullopt when the manifest cannot be read any more
  double hours = 0;
};

/// Utterances of the training manifests that are longer or shorter than the loader takes, by the
/// manifests' durations.
struct LeftOutRecord {
  size_t utterances = 0;
  double hours = 0;
  std::vector<std::string> lines;  ///< as of LengthReport
};

struct RunRecord {
  std::filesystem::path directory;
  RunConfig config;
  std::optional<int64_t> parameters;  ///< nullopt before the first checkpoint
  std::vector<ManifestRecord> training, evaluation;
  LeftOutRecord left_out;
  int64_t skipped = 0;
  bool finished = false;
  int64_t updates = 0;
  double epochs = 0;                ///< passes over the data done
  double training_seconds = 0;      ///< without evaluation and checkpoints
  double speed = 0;                 ///< seconds of speech trained on in a second; 0: not known
  double first_loss = 0, loss = 0;  ///< means over the first and the last 5 % of the updates
  std::vector<SetRecord> sets;
  std::vector<std::string> checkpoints;  ///< relative to the folder, oldest first
  std::vector<std::string> files;        ///< relative to the folder

  /// Of training alone, from the epochs so far; nullopt before the first update and at the end.
  std::optional<double> seconds_left() const;
};

/// Whether `train` has begun a run in the folder.
bool is_run(const std::filesystem::path& directory);

/// UserError when the folder holds no run. Lines that are cut short are skipped, so that a run can
/// be read while it works.
RunRecord read_run_record(const std::filesystem::path& directory);

nlohmann::json to_json(const RunRecord& record);
std::string to_text(const RunRecord& record);

}  // namespace scion
