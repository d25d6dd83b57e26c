// The transducer loss from given logits or log-probabilities on the CPU, in two halves: the forward
// half solves the lattices, the backward half makes the gradients from the flows and the upstream
// weights. Internal to scion/loss.
#pragma once

#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

struct LatticeSolution {
  at::Tensor losses;  ///< (B) float
  at::Tensor terms;   ///< NodeTerms' storage, with flows if asked for
};

/// logits (B, T, U+1, V), with those of durations after the V classes; float, bfloat16 or float16,
/// contiguous
LatticeSolution solve_from_logits_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                                      bool flows);
/// Gradient of Σ_b weights[b] · loss[b], in the logits' shape and type.
at::Tensor logits_gradient_cpu(const LatticeBatch& batch, const at::Tensor& logits,
                               const at::Tensor& terms, const at::Tensor& weights);

/// The same from log-probabilities, i.e. logits whose log-sum-exp is 0.
LatticeSolution solve_from_log_probs_cpu(const LatticeBatch& batch, const at::Tensor& log_probs,
                                         bool flows);
/// In the shape and type of `like`.
at::Tensor log_probs_gradient_cpu(const LatticeBatch& batch, const at::Tensor& like,
                                  const at::Tensor& terms, const at::Tensor& weights);

}  // namespace scion
