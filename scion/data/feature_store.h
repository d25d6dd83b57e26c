// Cache of a manifest's features: files that are mapped into memory and shared by processes.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "scion/audio/speech_features.h"
#include "scion/data/manifest/manifest.h"

namespace scion {

class MappedFile;

/// A folder in the cache, named by a checksum of everything that determines its content (audio
/// paths, sizes and modification times, feature settings, speeds). `speed-S.f32` holds the frames
/// of all utterances at speed S one after the other; `index.json` holds their numbers.
class FeatureStore {
 public:
  /// Makes the folder when it is absent, on all processors, with progress shown under `title`.
  FeatureStore(const std::vector<Utterance>& utterances, const FeatureConfig& config,
               const std::vector<double>& speeds, const std::filesystem::path& cache_directory,
               const std::string& title);

  bool contains(double speed) const { return find(speed) != nullptr; }
  /// (T, F) float: read-only, the file's memory, which the tensor keeps mapped.
  at::Tensor features(size_t i, double speed) const;
  /// Why an utterance has no features; "" when it has.
  const std::string& reason(size_t i) const { return reasons_[i]; }
  /// Duration of the recording at speed 1.
  double seconds(size_t i) const { return seconds_[i]; }

 private:
  struct Rows {
    double speed;
    std::shared_ptr<const MappedFile> file;
    std::vector<int64_t> offsets;  // first row of each utterance, and the end
  };
  void open(const std::filesystem::path& directory, size_t utterances,
            const std::vector<double>& speeds);
  const Rows* find(double speed) const;

  int64_t columns_;
  std::vector<Rows> rows_;
  std::vector<double> seconds_;
  std::vector<std::string> reasons_;
};

}  // namespace scion
