// The exact transducer (RNN-T) loss (Graves, 2012): -log P(y|x), summed over all alignments of U
// labels with T frames.
//
// Every route to it, the pruned one included, keeps these promises:
//   - U = 0 and T = 1 are ordinary lattices: of blanks alone, of all labels in one frame.
//   - Without an alignment the loss is +∞ and the gradient 0: no frame (length 0), more labels than
//     frames in the topologies `modified` and `constrained`, an arc of −∞ that every alignment
//     uses, a band that no alignment fits into.
//   - A logit of −∞ forbids its label. If an utterance's logits contain NaN or +∞, or a node
//   forbids
//     all labels, its loss is NaN and its gradient 0. Other utterances are not affected.
//   - UserError, with value and place, on wrong shapes and types, lengths beyond the tensors,
//   labels
//     or a blank outside the classes, a label equal to the blank.
//   - Padding has no influence on the loss and gets a zero gradient.
//   - Results do not depend on the number of threads.
#pragma once

#include "scion/loss/lattice/types.h"

namespace scion {

/// The loss from logits (B, T, U+1, V), not normalised; float32, bfloat16 or float16. Returns (B)
/// float32. Differentiable with respect to the logits, in their type: the backward pass only scales
/// the result of one forward-backward pass.
at::Tensor transducer_loss(const at::Tensor& logits, const LatticeLabels& labels,
                           const TransducerLossOptions& options = {});

/// The loss from log-probabilities (B, T, U+1, V), which are used as given; those of a log-softmax
/// yield the loss from logits. The gradient is with respect to them: minus the probabilities that
/// an alignment uses a node's blank and its next label, 0 for all other labels.
at::Tensor transducer_loss_from_log_probs(const at::Tensor& log_probs, const LatticeLabels& labels,
                                          const TransducerLossOptions& options = {});

/// The loss fused with the additive joiner, without ever holding all logits. Returns (B) float32,
/// differentiable with respect to all four inputs, in their types.
at::Tensor joiner_transducer_loss(const JoinerInputs& joiner, const LatticeLabels& labels,
                                  const TransducerLossOptions& options = {});

/// joiner_transducer_loss and the divergence from a teacher (Panchapagesan et al., 2021) in one
/// pass over the nodes; the teacher's joiner may have any width. The logits' gradient at a node is
///   weight · (p_v − q_blank [v = blank] − q_label [v = label] − q_rest p_v / p_rest [other v]).
/// Errors as there, and a UserError if the targets' sizes differ from the lattice's.
DistilledLoss distilled_joiner_loss(const JoinerInputs& joiner, const LatticeLabels& labels,
                                    const NodeTargets& targets,
                                    const TransducerLossOptions& options = {});

}  // namespace scion
