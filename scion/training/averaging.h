// Average of the weights after the last epochs.
#pragma once

#include <cstdint>

#include "scion/text/tokenizer.h"
#include "scion/training/run/run_folder.h"

namespace scion {

class EpochAverage {
 public:
  /// Averages the last `count` of `epochs` epochs (all of them where there are fewer).
  EpochAverage(const RunFiles& files, int64_t epochs, int64_t count)
      : files_(files), epochs_(epochs), count_(std::min(count, epochs)) {}

  /// False where the average is the last epoch alone.
  bool averages() const { return count_ > 1; }
  /// Writes the weights after `epoch` if the average needs them.
  void keep(int64_t epoch, const Transducer& model, const Tokenizer& tokenizer) const;
  /// Replaces the model's weights by the mean of the kept ones, summed in float64.
  void apply_to(Transducer& model) const;

 private:
  RunFiles files_;
  int64_t epochs_, count_;
};

}  // namespace scion
