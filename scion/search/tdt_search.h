// Greedy search of a token-and-duration transducer: the most probable token and the most probable
// duration at every step, batched over utterances, each of which is at its own frame.
#pragma once

#include <algorithm>
#include <vector>

#include "scion/search/search.h"
#include "scion/search/search_predictor.h"

namespace scion {

/// The frame of a TDT's search and the steps taken in it.
class TdtPosition {
 public:
  TdtPosition(FrameLimit limit, int64_t symbols_per_frame)
      : limit_(limit), most_(symbols_per_frame) {}

  int64_t frame() const { return frame_; }
  /// Moves on after a step that found a label, or blank, and its duration.
  void step(bool is_label, int64_t duration);
  /// Counts from the first frame of the next piece, after one of `frames`. An utterance that ended
  /// in this one stays before its frames.
  void start_piece(int64_t frames) { frame_ = std::max<int64_t>(0, frame_ - frames); }

 private:
  FrameLimit limit_;
  int64_t most_;
  int64_t frame_ = 0, counted_ = 0;
};

class TdtSearch : public Search {
 public:
  /// The model has durations.
  TdtSearch(const Transducer& model, int64_t batch, const SearchConfig& config,
            const ForwardContext& context);

  void advance(const EncoderOutput& encoded) override;
  const std::vector<Hypothesis>& hypotheses() const override { return hypotheses_; }

 private:
  // One step of every utterance that has not passed its length; false when there is none. `frames`
  // (B, T', joiner width).
  bool step(const at::Tensor& frames, const int64_t* lengths);
  // The projections (B, joiner width) of the utterances' own frames.
  at::Tensor own_frames(const at::Tensor& frames) const;

  const Transducer& model_;
  ForwardContext context_;
  std::vector<Hypothesis> hypotheses_;
  std::vector<TdtPosition> positions_;  // in this piece
  Linear output_;                       // of the joiner, for tokens
  SearchPredictor predictor_;
  int64_t frames_ = 0;  // before this piece
};

}  // namespace scion
