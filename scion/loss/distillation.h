// Distillation from a teacher: at the nodes of the transducer's lattice, collapsed to three classes
// (Panchapagesan et al., 2021), and in the CTC head.
#pragma once

#include "scion/loss/lattice/types.h"

namespace scion {

/// Weights of the lattice's nodes. In both cases they sum to T + U, the number of an alignment's
/// arcs, so that the same weight of the divergence suits both. (A TDT's alignments have fewer:
/// `occupied` sums to their expected number.)
enum class NodeWeighting {
  all,  ///< the same for every node: (T + U) / (T · (U + 1)); as published but for this factor
  occupied,  ///< the teacher's posterior of the node, given the labels; 0 where no alignment passes
};

/// A teacher's targets, without gradient, on the inputs' device. With `occupied` an utterance whose
/// loss is not finite has weights 0. Errors as joiner_transducer_loss; the options `blank`, `bf16`
/// and `workspace_bytes` apply. With durations the teacher is a TDT (sigma has no effect); its
/// targets are those of its tokens.
NodeTargets node_targets(const JoinerInputs& teacher, const LatticeLabels& labels,
                         NodeWeighting weighting, const TransducerLossOptions& options = {},
                         const TdtOptions& tdt = {});

/// Divergence (B) of NodeTargets from logits (B, T, U+1, V), in their type, differentiable: the
/// definition in single tensor operations, for any device.
at::Tensor node_divergence(const at::Tensor& logits, const LatticeLabels& labels,
                           const NodeTargets& targets, int64_t blank);

/// CTC heads: Σ over an utterance's frames of τ² · KL(softmax(teacher/τ) ‖ softmax(student/τ)),
/// (B), differentiable with respect to the student. Logits (B, T, V) float, lengths (B) int64; τ is
/// `temperature`, and its square preserves the gradient's scale (Hinton et al., 2015).
/// UserError if the shapes differ.
at::Tensor ctc_divergence(const at::Tensor& teacher, const at::Tensor& student,
                          const at::Tensor& lengths, double temperature);

}  // namespace scion
