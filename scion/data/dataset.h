// Utterances with their features and tokens, ready to be batched.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "scion/audio/augment.h"
#include "scion/audio/fbank.h"
#include "scion/data/audio_check.h"
#include "scion/data/batch.h"
#include "scion/data/manifest.h"
#include "scion/text/normalisation.h"
#include "scion/text/tokenizer.h"

namespace scion {

class FeatureStore;

/// The usable utterances of one or several manifests. Features come from a FeatureStore: files of
/// filter banks per (manifest, feature settings, speeds), made once in `cache_directory` and mapped
/// into memory, so that runs side by side share them. With an empty cache_directory they are
/// computed from audio when asked for. Lengths (`utterance(i).seconds`) are those of the audio
/// itself.
class Dataset {
 public:
  /// Texts are normalised as `text` says. UserError when more than 5 % of a manifest cannot be
  /// used, or when two manifests share an id.
  Dataset(const std::vector<std::filesystem::path>& manifests, const FeatureConfig& features,
          const Tokenizer& tokenizer, const std::filesystem::path& cache_directory,
          const std::vector<double>& speeds, const NormalisationConfig& text = {});
  ~Dataset();
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  size_t size() const { return utterances_.size(); }
  const Utterance& utterance(size_t i) const { return utterances_[i]; }
  const std::vector<int64_t>& tokens(size_t i) const { return tokens_[i]; }
  const std::vector<Skipped>& skipped() const { return skipped_; }
  double total_seconds() const;
  /// The speeds that it was made for.
  const std::vector<double>& speeds() const { return speeds_; }
  /// (T, F) float at that speed. Thread-safe. Not to be written to: it may be mapped memory.
  at::Tensor features(size_t i, double speed) const;
  const FeatureConfig& feature_config() const { return feature_config_; }

  /// Mean and standard deviation over all frames at speed 1, each (F) float (accumulated in
  /// float64): the model's global normalisation.
  std::pair<at::Tensor, at::Tensor> global_statistics() const;

 private:
  struct Origin {
    size_t manifest, line;
  };
  void read(size_t manifest, const std::filesystem::path& path, const Tokenizer& tokenizer,
            const std::filesystem::path& cache_directory);
  FeatureConfig feature_config_;
  NormalisationConfig text_;
  Fbank fbank_;
  std::vector<double> speeds_;
  std::vector<Utterance> utterances_;
  std::vector<std::vector<int64_t>> tokens_;
  std::vector<Origin> origins_;
  std::vector<Skipped> skipped_;
  std::vector<FeatureStore> stores_;  // one a manifest, none without a cache
};

/// Puts utterances with their features side by side: pads, stacks.
Batch collate(const Dataset& dataset, const std::vector<int64_t>& indices,
              const std::vector<at::Tensor>& features);

/// Batches for evaluation: longest first, every utterance once, no augmentation.
std::vector<std::vector<int64_t>> evaluation_batches(const Dataset& dataset, double batch_seconds);

}  // namespace scion
