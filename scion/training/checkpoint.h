// Checkpoints: directories that appear whole, are checked when read, and are found by themselves.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "scion/core/safetensors.h"

namespace scion {

/// Where a run is: what has been consumed, not what has been prefetched.
struct TrainingPosition {
  int64_t update = 0;            ///< updates done
  int64_t epoch = 0, batch = 0;  ///< the next batch to train on
  double training_seconds = 0;   ///< without evaluation and checkpoints
  double epoch_loss = 0;         ///< summed over the epoch's batches so far
};

struct Checkpoint {
  TrainingPosition position;
  SafeTensors model, state;
};

/// Writes `directory/update-00000123/` with model.safetensors, state.safetensors and
/// checkpoint.json (position, checksums), under a temporary name, synced, renamed once; then
/// removes all but the newest `keep` checkpoints.
void save_checkpoint(const std::filesystem::path& directory, const Checkpoint& checkpoint,
                     int64_t keep);

/// The newest checkpoint whose checksums are right; nullopt when there is none. Broken ones are
/// named in a warning and passed over.
std::optional<Checkpoint> load_newest_checkpoint(const std::filesystem::path& directory);

}  // namespace scion
