// The batch loader: threads that prepare the next batches while one is trained on.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "scion/audio/augmentation/augment.h"
#include "scion/data/batch.h"
#include "scion/data/dataset.h"

namespace scion {

class Options;

struct LoaderConfig {
  double batch_seconds = 30;  ///< audio in a batch, at most
  int64_t buckets = 8;        ///< of equal total duration; a batch comes from one bucket
  double shortest_seconds = 0.3;
  double longest_seconds = 30;
  int64_t threads = 1;   ///< loader threads
  int64_t prefetch = 4;  ///< batches held ready
  void declare(Options& options);
};

/// The batches of an epoch, at the speeds drawn from `dataset.speeds()`: shuffled inside buckets,
/// then batches shuffled. A pure function of its arguments; the same for every thread count.
std::vector<std::vector<int64_t>> epoch_batches(const Dataset& dataset, const LoaderConfig& config,
                                                uint64_t seed, int64_t epoch);

/// Delivers the batches of the epochs, in order, from a given position on: features at the drawn
/// speed (one of `dataset.speeds()`), of augmented samples, warped and masked by SpecAugment.
class BatchLoader {
 public:
  /// Starts with batch `first_batch` of `first_epoch` (epochs count from 0). Masks are filled with
  /// the mean of `statistics`. Features are staged for `device`.
  BatchLoader(const Dataset& dataset, const LoaderConfig& config, const AugmentConfig& augment,
              const FeatureStatistics& statistics, uint64_t seed, int64_t first_epoch,
              int64_t first_batch, at::Device device = at::kCPU);
  ~BatchLoader();

  struct Item {
    Batch batch;
    int64_t epoch = 0;
    int64_t index = 0;       ///< of the batch in the epoch
    int64_t epoch_size = 0;  ///< batches in the epoch
    /// Left out of the batch, which may then be empty (only with DataCheck::trust).
    std::vector<Skipped> skipped;
  };
  /// The next batch; a loader thread's error is thrown here.
  Item next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace scion
