// Greedy search with all state on the model's device: the host reads labels once in many steps.
#pragma once

#include <vector>

#include "scion/search/search.h"
#include "scion/search/search_predictor.h"

namespace scion {

/// Finds what GreedySearch finds. Every utterance has its own place in time, so that a step takes
/// one label or one blank of each ("label-looping", Bataev et al., 2024): a batch takes as many
/// steps as its longest utterance has frames and labels, whatever the others do.
class DeviceGreedySearch : public Search {
 public:
  DeviceGreedySearch(const Transducer& model, int64_t batch, const SearchConfig& config,
                     const ForwardContext& context);

  void advance(const EncoderOutput& encoded) override;
  const std::vector<Hypothesis>& hypotheses() const override { return hypotheses_; }

 private:
  /// Of this piece, on the device: encoder frames (B · T, joiner width) and their number (B).
  struct Piece {
    at::Tensor frames, lengths;
    int64_t longest;
  };
  /// One label or blank of each utterance that is not finished → (2, B) int64: the label, −1 for
  /// none, and the frame.
  at::Tensor step(const Piece& piece);
  /// Takes the labels of steps (N, 2, B), on the host.
  void append(const at::Tensor& steps);

  const Transducer& model_;
  SearchConfig config_;
  ForwardContext context_;
  std::vector<Hypothesis> hypotheses_;
  Linear output_;  // of the joiner
  SearchPredictor predictor_;
  at::Tensor time_, symbols_;   // (B) int64: the frame in this piece, labels in it so far
  at::Tensor log_probability_;  // (B) double
  int64_t frames_ = 0;          // before this piece
};

}  // namespace scion
