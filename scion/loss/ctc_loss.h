// The CTC loss (Graves et al., 2006), used as an auxiliary of the transducer loss.
#pragma once

#include "scion/loss/lattice/types.h"

namespace scion {

/// -log P_ctc(y|x) of each utterance: logits (B, T, V), not normalised → (B) float32.
/// Differentiable with respect to the logits. If an utterance has too few frames for its labels
/// (equal neighbours need a blank between them), or no frame, its loss is infinite and its gradient
/// 0. UserError as transducer_loss().
at::Tensor ctc_loss(const at::Tensor& logits, const LatticeLabels& labels, int64_t blank = 0);

}  // namespace scion
