// The CTC loss on the CPU, in two halves as given.h. Internal to scion/loss.
#pragma once

#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

struct CtcSolution {
  at::Tensor losses;     ///< (B) float
  at::Tensor log_sums;   ///< (B, T) float: log-sum-exp of each frame's logits
  at::Tensor occupancy;  ///< (B, …) float: each utterance's (T, 2U+1), rows padded; or undefined
};

/// logits (B, T, V) float, contiguous
CtcSolution solve_ctc_cpu(const LatticeBatch& batch, const at::Tensor& logits, bool with_occupancy);
/// Gradient of Σ_b weights[b] · loss[b], zero where the loss is not finite.
at::Tensor ctc_gradient_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                            const CtcSolution& solution, const at::Tensor& weights);

}  // namespace scion
