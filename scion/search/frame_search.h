// A search on the CPU that follows each utterance by itself, frame by frame.
#pragma once

#include "scion/search/label_histories.h"
#include "scion/search/label_scores.h"

namespace scion {

/// One utterance.
class UtteranceSearch {
 public:
  virtual ~UtteranceSearch() = default;

  /// The next `count` frames, projected: (count, joiner width). The first of them is number `first`
  /// of the utterance.
  virtual void advance(const float* frames, int64_t count, int64_t first) = 0;
  /// All that are followed, the best one first.
  virtual std::vector<Hypothesis> hypotheses() const = 0;
};

/// Greedy search, or modified beam search of more than one hypothesis. `scores` must outlive it.
std::unique_ptr<UtteranceSearch> make_utterance_search(const LabelScores& scores,
                                                       std::unique_ptr<LabelHistories> histories,
                                                       const SearchConfig& config);

/// A batch of them, on several threads.
class FrameSearch : public Search {
 public:
  FrameSearch(const Transducer& model, int64_t batch, const SearchConfig& config,
              const ForwardContext& context);

  void advance(const EncoderOutput& encoded) override;
  const std::vector<Hypothesis>& hypotheses() const override { return best_; }
  std::vector<Hypothesis> n_best(size_t utterance) const override;

 private:
  const Transducer& model_;
  ForwardContext context_;
  LabelScores scores_;
  PredictorProjection projection_;
  std::vector<std::unique_ptr<UtteranceSearch>> utterances_;
  std::vector<Hypothesis> best_;
  int64_t frames_ = 0;  // before this piece
};

}  // namespace scion
