// The recursion over every utterance's lattice on the CPU. Internal to scion/loss.
#pragma once

#include "scion/loss/cpu/node_terms.h"

namespace scion {

/// Losses (B) float. With `flows`, blank and label terms become minus the loss's derivatives with
/// respect to them (label arcs times FastEmit's factor): the probabilities that an alignment uses
/// these arcs, zero throughout an utterance whose loss is not finite.
at::Tensor solve_lattices(const LatticeBatch& batch, NodeTerms& terms, bool flows);

// Its three steps.
/// Topology `constrained`: adds to each label's term the blank that follows the label.
void constrain_arcs(const LatticeBatch& batch, NodeTerms& terms);
/// The recursion, with the flows of the arcs themselves.
at::Tensor solve_arcs(const LatticeBatch& batch, NodeTerms& terms, bool flows);
/// Topology `constrained`: adds the flow through each label's arc to the flow of that blank.
void share_flows(const LatticeBatch& batch, NodeTerms& terms);

}  // namespace scion
