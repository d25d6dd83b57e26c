// Greedy search: the most probable label at every step, batched over utterances.
#pragma once

#include <vector>

#include "scion/model/transducer.h"

namespace scion {

struct SearchConfig {
  int64_t symbols_per_frame = 3;  ///< at most so many labels in one encoder frame
};

struct Hypothesis {
  std::vector<int64_t> tokens;
  std::vector<int64_t> frames;  ///< the encoder frame of each token
};

/// A search over encoder frames that may arrive in pieces. The model must outlive it.
class GreedySearch {
 public:
  GreedySearch(const Transducer& model, int64_t batch, const SearchConfig& config,
               const ForwardContext& context);

  /// The next encoder frames (B, T', width), of which lengths (B) count. Only the last pieces of
  /// utterances may have fewer than T'.
  void advance(const EncoderOutput& encoded);
  /// One an utterance.
  const std::vector<Hypothesis>& hypotheses() const { return hypotheses_; }

 private:
  // Adds the best labels (B) of frame t of this piece to the utterances that are `open`, where they
  // are not blank; false when all are.
  bool emit(const at::Tensor& best, int64_t t, const at::Tensor& lengths, std::vector<bool>& open);

  const Transducer& model_;
  SearchConfig config_;
  ForwardContext context_;
  std::vector<Hypothesis> hypotheses_;
  PredictorState state_;
  at::Tensor predicted_;  // (B, joiner width)
  int64_t frames_ = 0;    // before this piece
};

/// Encoder output (B, T', width) → one hypothesis an utterance.
std::vector<Hypothesis> greedy_search(const Transducer& model, const EncoderOutput& encoded,
                                      const SearchConfig& config, const ForwardContext& context);

}  // namespace scion
