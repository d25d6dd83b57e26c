// Greedy search: the most probable label at every step, batched over utterances.
#pragma once

#include <vector>

#include "scion/search/search.h"
#include "scion/search/search_predictor.h"

namespace scion {

class GreedySearch : public Search {
 public:
  GreedySearch(const Transducer& model, int64_t batch, const SearchConfig& config,
               const ForwardContext& context);

  void advance(const EncoderOutput& encoded) override;
  const std::vector<Hypothesis>& hypotheses() const override { return hypotheses_; }

 private:
  // Takes the best label at every (B, V) row of logits for frame t of this piece. Utterances whose
  // label is blank, or that end before t, are no longer `open` in this frame; false when none is.
  bool step(const at::Tensor& logits, int64_t t, const at::Tensor& lengths,
            std::vector<bool>& open);

  const Transducer& model_;
  SearchConfig config_;
  ForwardContext context_;
  std::vector<Hypothesis> hypotheses_;
  SearchPredictor predictor_;
  int64_t frames_ = 0;  // before this piece
};

}  // namespace scion
