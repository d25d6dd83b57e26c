// The loss of a lattice whose arcs' log-probabilities are given, whatever they come from.
#pragma once

#include <ATen/core/Tensor.h>

#include "scion/loss/transducer_loss.h"

namespace scion {

/// Labels and lengths of a batch: tokens (B, U), frame_lengths (B) in 0 … T, token_lengths (B) in
/// 0 … U; int64. What stands behind a length has no influence.
struct LatticeLabels {
  at::Tensor tokens, frame_lengths, token_lengths;
};

/// Log-probabilities of a lattice's arcs, or the probabilities that an alignment uses them.
struct LatticeArcs {
  at::Tensor blank;  ///< (B, T, U+1): from frame t to t+1, u labels said
  at::Tensor label;  ///< (B, T, U): label u+1 in frame t
};

/// -log of the sum over all alignments (B); infinite where there is none. Differentiable with
/// respect to both; float or double. Runs through both tensors once forth and once back.
at::Tensor lattice_loss(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology);

/// The probabilities that an alignment uses each arc (k2's px_grad and py_grad); without gradient.
LatticeArcs lattice_flows(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology);

}  // namespace scion
