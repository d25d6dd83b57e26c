// Checkpoints: directories written atomically, verified by checksum, and located automatically.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "scion/core/files/safetensors.h"

namespace scion {

/// Position of a run: batches trained on, not those prefetched.
struct TrainingPosition {
  int64_t update = 0;            ///< updates done
  int64_t epoch = 0, batch = 0;  ///< the next batch to train on
  double training_seconds = 0;   ///< without evaluation and checkpoints
  double epoch_loss = 0;         ///< summed over the epoch's batches so far
};

struct Checkpoint {
  TrainingPosition position;
  SafeTensors model, state;
  SafeTensors inputs;  ///< RunInputs; empty in one that an older program wrote
};

/// Writes `directory/update-00000123/` with model.safetensors, state.safetensors,
/// inputs.safetensors and checkpoint.json (position, checksums), under a temporary name, synced,
/// renamed once; then removes all but the newest `keep` checkpoints.
void save_checkpoint(const std::filesystem::path& directory, const Checkpoint& checkpoint,
                     int64_t keep);

/// The folders of whole checkpoints, oldest first.
std::vector<std::filesystem::path> checkpoint_folders(const std::filesystem::path& directory);

/// The model in a checkpoint's folder.
std::filesystem::path checkpoint_model(const std::filesystem::path& folder);

/// The newest checkpoint whose checksums are right; nullopt when there is none. Broken ones are
/// skipped with a warning.
std::optional<Checkpoint> load_newest_checkpoint(const std::filesystem::path& directory);

}  // namespace scion
