// Learning from a teacher beside the labels: on the nodes of the transducer's lattice, collapsed to
// three classes (Panchapagesan et al., 2021), and in the CTC head.
#pragma once

#include <ATen/core/Tensor.h>

#include "scion/loss/alignment.h"
#include "scion/loss/transducer_loss.h"

namespace scion {

/// How much a node of the lattice counts. Either way it is T + U in all, as many as an alignment
/// has arcs, so that one weight of the divergence suits both.
enum class NodeWeighting {
  all,       ///< every node alike: (T + U) / (T · (U + 1)); as published, but for that factor
  occupied,  ///< the probability, given the labels, that the teacher's alignments pass it: nothing
             ///< where none goes
};

/// A teacher's targets, without gradient, on the inputs' device. Nodes that are `occupied` in an
/// utterance whose loss is not finite have no weight. Errors as joiner_transducer_loss; of the
/// options, blank and bf16 count.
NodeTargets node_targets(const JoinerBatch& teacher, NodeWeighting weighting,
                         const TransducerLossOptions& options = {});

/// Divergence (B) of NodeTargets from given logits (B, T, U+1, V), in their type, differentiable:
/// the definition in single tensor operations, for any device.
at::Tensor node_divergence(const at::Tensor& logits, const at::Tensor& tokens,
                           const at::Tensor& token_lengths, const NodeTargets& targets,
                           int64_t blank);

/// CTC heads: Σ over an utterance's frames of τ² · KL(softmax(teacher/τ) ‖ softmax(student/τ)),
/// (B), differentiable with respect to the student. Logits (B, T, V) float, lengths (B) int64; τ is
/// `temperature`, and its square keeps the gradient's size (Hinton et al., 2015).
/// UserError when the shapes differ.
at::Tensor ctc_divergence(const at::Tensor& teacher, const at::Tensor& student,
                          const at::Tensor& lengths, double temperature);

}  // namespace scion
