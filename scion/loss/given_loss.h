// The loss from given logits or log-probabilities on the CPU. Internal to scion/loss.
#pragma once

#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

/// The batch of values (B, T, U+1, V), with those of durations after the V classes. UserError as
/// check_lattice_batch() and check_float_type(), and if shapes do not fit together.
LatticeBatch check_given(const at::Tensor& values, const char* name, const LatticeLabels& labels,
                         const LatticeRules& rules);

/// The loss of a checked batch: (B) float, differentiable with respect to the values: logits or, if
/// `normalised`, log-probabilities.
at::Tensor given_loss(const at::Tensor& values, const LatticeBatch& batch, bool normalised);

}  // namespace scion
