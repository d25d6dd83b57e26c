// Filter banks of a manifest on disk, mapped into memory and shared by processes.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "scion/audio/audio_file.h"
#include "scion/audio/fbank.h"
#include "scion/data/manifest.h"

namespace scion {

class MappedFile;

/// (T, F) features of samples (at the settings' rate) that are played `speed` times as fast.
at::Tensor speech_features(const Fbank& fbank, const std::vector<float>& samples, double speed);

/// A folder in the cache, named by a checksum of everything that its content follows from (audio
/// paths, sizes and times of change, feature settings, speed). `rows.f32` holds the frames of all
/// utterances one behind the other; `index.json` says how many belong to whom.
class FeatureStore {
 public:
  /// Makes it first when it is absent, with progress shown under `title`, on all processors.
  FeatureStore(const std::vector<Utterance>& utterances, const FeatureConfig& config, double speed,
               const std::filesystem::path& cache_directory, const std::string& title);

  double speed() const { return speed_; }
  /// (T, F) float: memory of the file, not to be written to. Valid as long as the tensor lives.
  at::Tensor features(size_t i) const;
  /// Why an utterance has no features; "" when it has.
  const std::string& reason(size_t i) const { return reasons_[i]; }
  /// Length of the recording itself, at speed 1.
  double seconds(size_t i) const { return seconds_[i]; }

 private:
  void open(const std::filesystem::path& directory, size_t utterances);

  double speed_;
  int64_t columns_;
  std::shared_ptr<const MappedFile> rows_;
  std::vector<int64_t> offsets_;  // first row of each utterance, and the end
  std::vector<double> seconds_;
  std::vector<std::string> reasons_;
};

}  // namespace scion
