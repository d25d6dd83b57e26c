// The loss fused with a joiner on any device, over whole lattices or a band of them. Internal to
// scion/loss.
#pragma once

#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

/// The loss of a checked batch: (B) float, differentiable with respect to the joiner's inputs.
at::Tensor fused_joiner_loss(const JoinerInputs& joiner, const LatticeBatch& batch,
                             const JoinerSettings& settings);
/// The same and the divergence from a teacher; whole lattices only. UserError if the targets' sizes
/// differ from the batch's.
DistilledLoss fused_distilled_loss(const JoinerInputs& joiner, const LatticeBatch& batch,
                                   const NodeTargets& targets, const JoinerSettings& settings);

}  // namespace scion
