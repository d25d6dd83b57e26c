// Alignments of a transducer's lattice: the probability of each arc given the labels, and the most
// probable alignment.
#pragma once

#include <vector>

#include "scion/loss/lattice/types.h"

namespace scion {

/// Probabilities, given the labels, that an alignment uses an arc. Label arcs of an utterance sum
/// to its number of labels (1 for each u), blank arcs to its frames; in the topology `modified` to
/// its frames minus its labels. Zero in padding, and throughout an utterance whose loss is not
/// finite.
struct ArcOccupation {
  at::Tensor blank;  ///< (B, T, U+1) float: the blank of frame t after u labels
  at::Tensor label;  ///< (B, T, U+1) float: label u+1 in frame t
};
/// Without gradient; FastEmit has no effect. Errors as joiner_transducer_loss.
ArcOccupation arc_occupation(const JoinerInputs& joiner, const LatticeLabels& labels,
                             const TransducerLossOptions& options = {});

/// The most probable alignment of an utterance's labels (Viterbi's algorithm on the lattice).
struct ForcedAlignment {
  std::vector<int64_t> frames;       ///< the encoder frame of each label, ascending
  std::vector<int64_t> durations;    ///< of each label, in encoder frames; of a TDT alone
  std::vector<float> probabilities;  ///< of each label at its node, without delay penalty, duration
  /// Of the whole alignment: labels and blanks, including the delay penalty's contribution,
  /// Σ over labels of delay_penalty · ((T − 1) / 2 − t). Without a penalty it is the alignment's
  /// log-probability.
  double log_probability = 0;
};
/// One alignment per utterance; without frames if every alignment has probability 0. Of equally
/// probable alignments the one whose labels come first. With durations it is a TDT's (sigma has no
/// effect). Errors as joiner_transducer_loss, joiner_tdt_loss.
std::vector<ForcedAlignment> best_alignments(const JoinerInputs& joiner,
                                             const LatticeLabels& labels,
                                             const TransducerLossOptions& options = {},
                                             const TdtOptions& tdt = {});

}  // namespace scion
