// Greedy search of one utterance on the CPU.
#pragma once

#include "scion/search/frame_search.h"

namespace scion {

/// The most probable label at every step. Frames are scored together as long as they give blanks,
/// which leave the predictor's state as it is.
class GreedySearch : public UtteranceSearch {
 public:
  GreedySearch(const LabelScores& scores, std::unique_ptr<LabelHistories> histories,
               const SearchConfig& config);

  void advance(const float* frames, int64_t count, int64_t first) override;
  std::vector<Hypothesis> hypotheses() const override { return {found_}; }

 private:
  // Scores frames from `t` on; returns the frame to go on with.
  int64_t step(const float* frames, int64_t t, int64_t count);
  void emit(int64_t label, int64_t frame);

  const LabelScores& scores_;
  std::unique_ptr<LabelHistories> histories_;
  int64_t symbols_per_frame_;
  LabelScores::Rows rows_;
  LabelHistoryPtr history_;
  Hypothesis found_;
  int64_t together_ = 1;  // frames that are scored at once
  int64_t symbols_ = 0;   // emitted in the frame that is next
  int64_t first_ = 0;     // frame of this piece
};

}  // namespace scion
