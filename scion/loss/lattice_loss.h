// The loss of a lattice from its arcs' log-probabilities, whatever they were computed from.
#pragma once

#include "scion/loss/lattice/types.h"

namespace scion {

/// -log of the sum over all alignments (B); infinite without an alignment. Differentiable with
/// respect to both kinds of arcs; float or double. One pass forward and one backward over both
/// tensors.
at::Tensor lattice_loss(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology);

/// The probabilities that an alignment uses each arc (k2's px_grad and py_grad); without gradient.
LatticeArcs lattice_flows(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology);

}  // namespace scion
