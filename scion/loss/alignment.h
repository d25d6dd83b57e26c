// What else a transducer's lattice tells: how probable each arc is given the labels, and the most
// probable alignment.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "scion/loss/transducer_loss.h"

namespace scion {

/// The inputs of joiner_transducer_loss, as there.
struct JoinerBatch {
  at::Tensor encoder, predictor;  ///< (B, T, D), (B, U+1, D)
  at::Tensor weight, bias;        ///< (V, D), (V)
  at::Tensor tokens;              ///< (B, U) int64
  at::Tensor frame_lengths, token_lengths;
};

/// Probabilities, given the labels, that an alignment uses an arc. Label arcs of one utterance sum
/// to its labels (one for each u), blank arcs to its frames, without its labels in the topology
/// `modified`. Zero in padding, and throughout an utterance whose loss is not finite.
struct ArcOccupation {
  at::Tensor blank;  ///< (B, T, U+1) float: the blank of frame t, u labels said
  at::Tensor label;  ///< (B, T, U+1) float: label u+1 in frame t
};
/// Without gradient. FastEmit has no part in it. Errors as joiner_transducer_loss.
ArcOccupation arc_occupation(const JoinerBatch& batch, const TransducerLossOptions& options = {});

/// The most probable alignment of an utterance's labels (Viterbi's algorithm on the lattice).
struct ForcedAlignment {
  std::vector<int64_t> frames;       ///< the encoder frame of each label, ascending
  std::vector<float> probabilities;  ///< of each label at its node
  double log_probability = 0;        ///< of the whole alignment, blanks included
};
/// One an utterance; no frames where every alignment has probability 0. Of equally probable
/// alignments the one whose labels come first. Errors as joiner_transducer_loss.
std::vector<ForcedAlignment> best_alignments(const JoinerBatch& batch,
                                             const TransducerLossOptions& options = {});

}  // namespace scion
