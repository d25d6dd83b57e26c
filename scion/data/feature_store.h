// Filter banks of a manifest on disk, mapped into memory and shared by processes.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "scion/audio/audio_file.h"
#include "scion/audio/fbank.h"
#include "scion/data/manifest.h"

namespace scion {

class MappedFile;

/// Changes samples in place, at the rate of the feature settings.
using SampleChange = std::function<void(std::vector<float>&)>;

/// (T, F) features of samples (at the settings' rate) that are played `speed` times as fast, and
/// then changed, where a change is given.
at::Tensor speech_features(const Fbank& fbank, const std::vector<float>& samples, double speed,
                           const SampleChange& change = {});

/// A folder in the cache, named by a checksum of everything that its content follows from (audio
/// paths, sizes and times of change, feature settings, speeds). `speed-S.f32` holds the frames of
/// all utterances at speed S one behind the other; `index.json` says how many belong to whom.
class FeatureStore {
 public:
  /// Makes it first when it is absent, with progress shown under `title`, on all processors.
  FeatureStore(const std::vector<Utterance>& utterances, const FeatureConfig& config,
               const std::vector<double>& speeds, const std::filesystem::path& cache_directory,
               const std::string& title);

  bool contains(double speed) const { return find(speed) != nullptr; }
  /// (T, F) float: memory of the file, not to be written to. Valid as long as the tensor lives.
  at::Tensor features(size_t i, double speed) const;
  /// Why an utterance has no features; "" when it has.
  const std::string& reason(size_t i) const { return reasons_[i]; }
  /// Length of the recording itself, at speed 1.
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
