// Utterances with their features and tokens, ready to be batched.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "scion/audio/augmentation/augment.h"
#include "scion/audio/fbank.h"
#include "scion/core/options.h"
#include "scion/data/batch.h"
#include "scion/data/feature_store.h"
#include "scion/data/manifest/manifest_index.h"
#include "scion/data/skipped.h"
#include "scion/data/spelling.h"
#include "scion/data/usable.h"
#include "scion/text/normalisation.h"
#include "scion/text/tokenizer.h"

namespace scion {

/// Features of an utterance, or why there are none.
struct Example {
  at::Tensor features;
  std::string reason;
};

/// When utterances are validated.
enum class DataCheck {
  decode,  ///< at the start, by decoding every file
  trust    ///< when they are first used; until then, durations are taken from the manifest
};
template <>
inline constexpr std::array option_words<DataCheck>{"decode", "trust"};

/// What utterances are for.
enum class DataPurpose {
  training,   ///< those that cannot be learnt from are skipped
  evaluation  ///< all count: texts are not checked, and unreadable audio is an error
};

/// The usable utterances of one or several manifests, which stay on disk: 75 bytes of memory an
/// utterance. Features come from a FeatureStore: files of filter banks per (manifest, feature
/// settings, speeds), made once in `cache_directory` and mapped into memory, so that parallel runs
/// share them. With an empty cache_directory they are computed from audio on every access.
/// Lengths (`seconds(i)`) are those of the audio itself; with DataCheck::trust, the manifest's.
class Dataset {
 public:
  /// Texts are normalised as `text` says. What the tokenizer cannot write is logged. UserError when
  /// more than `skip_share` of a manifest are found unusable here (for evaluation: one file that
  /// cannot be decoded), when two manifests share an id, or when a cache is combined with
  /// DataCheck::trust (it would decode every file).
  Dataset(const std::vector<std::filesystem::path>& manifests, const FeatureConfig& features,
          const Tokenizer& tokenizer, const std::filesystem::path& cache_directory,
          const std::vector<double>& speeds, const NormalisationConfig& text = {},
          DataCheck check = DataCheck::decode, DataPurpose purpose = DataPurpose::training,
          double skip_share = default_skip_share);
  ~Dataset();
  Dataset(const Dataset&) = delete;
  Dataset& operator=(const Dataset&) = delete;

  size_t size() const { return entries_.size(); }
  double seconds(size_t i) const { return entries_[i].seconds; }
  /// stable_hash of the id.
  uint64_t id_hash(size_t i) const;
  /// Read from the manifest; the text is normalised. Thread-safe.
  Utterance utterance(size_t i) const;
  const Tokenizer& tokenizer() const { return tokenizer_; }
  /// Utterances that the constructor skipped.
  const std::vector<Skipped>& skipped() const { return skipped_; }
  double total_seconds() const;
  /// How the tokenizer writes the texts; with DataCheck::trust, some 2000 of them.
  const Spelling& spelling() const { return spelling_; }
  /// The constructor's speeds.
  const std::vector<double>& speeds() const { return speeds_; }
  /// (T, F) float at that speed, T ≥ 1. Thread-safe. Read-only: it may be mapped memory. Of audio
  /// that is too short for a frame (for evaluation only), with silence appended.
  at::Tensor features(size_t i, double speed, const SampleChange& change = {}) const;
  /// The same at one of speeds(), or, with DataCheck::trust, why the utterance cannot be used,
  /// which depends on the utterance only. With a change, features are those of the changed samples.
  Example example(size_t i, double speed, const SampleChange& change = {}) const;
  const FeatureConfig& feature_config() const { return feature_config_; }

  /// Over all frames at speed 1, accumulated in float64. With DataCheck::trust, over the frames of
  /// at most 2000 usable utterances, spread evenly.
  FeatureStatistics global_statistics() const;

 private:
  struct Entry {
    uint32_t manifest, line;
    double seconds;
  };
  void read(size_t manifest, const std::filesystem::path& cache_directory);
  std::vector<AudioCheck> check(size_t manifest, const std::filesystem::path& cache_directory);
  void check_ids() const;
  void check_texts();
  void require_readable(const ManifestIndex& index, std::vector<AudioCheck>& checks) const;
  FeatureConfig feature_config_;
  NormalisationConfig text_;
  Tokenizer tokenizer_;
  Fbank fbank_;
  std::vector<double> speeds_;
  DataCheck check_;
  DataPurpose purpose_;
  double skip_share_;
  int64_t shortest_samples_;
  std::vector<ManifestIndex> manifests_;
  std::vector<Entry> entries_;
  std::vector<Skipped> skipped_;
  Spelling spelling_{tokenizer_};
  std::vector<FeatureStore> stores_;  // one a manifest, none without a cache
};

/// Pads and stacks utterances' features and tokens.
Batch collate(const Dataset& dataset, const std::vector<int64_t>& indices,
              const std::vector<at::Tensor>& features);

/// Reads the features of the utterances at that speed and collates them.
Batch read_batch(const Dataset& dataset, const std::vector<int64_t>& indices, double speed = 1);

/// Batches for evaluation: longest first, every utterance once, no augmentation.
std::vector<std::vector<int64_t>> evaluation_batches(const Dataset& dataset, double batch_seconds);

/// Calls `use` with every one of evaluation_batches, read.
void for_each_batch(const Dataset& dataset, double batch_seconds,
                    const std::function<void(const Batch&)>& use);

}  // namespace scion
