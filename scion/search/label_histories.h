// States of the predictor in a search on the CPU, projected for the joiner.
#pragma once

#include <memory>
#include <vector>

#include "scion/loss/cpu/joiner_tiles.h"
#include "scion/model/transducer.h"

namespace scion {

/// What the joiner sees of the labels that were emitted.
struct LabelHistory {
  std::vector<float> projected;  ///< (joiner width)
  std::vector<int64_t> context;  ///< the last labels, where the predictor sees no others
  PredictorState state;          ///< of one hypothesis, where it does
};
using LabelHistoryPtr = std::shared_ptr<const LabelHistory>;

/// The histories of one utterance.
class LabelHistories {
 public:
  virtual ~LabelHistories() = default;

  virtual LabelHistoryPtr start() = 0;
  /// The history after one more label.
  virtual LabelHistoryPtr next(const LabelHistory& before, int64_t label) = 0;
  /// Labels before the first one that the predictor sees.
  virtual int64_t context_labels() const = 0;
};

/// The joiner's projection of the predictor's output, in plain arrays.
class PredictorProjection {
 public:
  explicit PredictorProjection(const Transducer& model);

  /// (predictor width) → (joiner width)
  std::vector<float> project(const float* output) const;

 private:
  int64_t width_;  // of the joiner
  PackedMatrix weight_;
  std::vector<float> bias_;  // padded to whole vectors
  int64_t depth_;
};

/// Histories by the model's predictor. One that sees the last labels only is run once for each
/// context that occurs. Model and projection must outlive them.
std::unique_ptr<LabelHistories> make_label_histories(const Transducer& model,
                                                     const ForwardContext& context,
                                                     const PredictorProjection& projection);

}  // namespace scion
