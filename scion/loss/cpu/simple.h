// The first pass of the pruned loss on the CPU, in float: per utterance, products of probabilities
// instead of sums over labels. Internal to scion/loss.
#pragma once

#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

/// am (B, T, V) and lm (B, U+1, V), float and contiguous.
struct SimpleInputs {
  at::Tensor am, lm;
};

struct SimpleSolution {
  at::Tensor losses;        ///< (B) float
  LatticeArcs arcs, flows;  ///< (B, T, U+1) and (B, T, U), zero where an utterance has no node
  at::Tensor terms;         ///< NodeTerms' storage, for the gradients
  SimpleInputs log_sums;    ///< of the rows of am and lm: (B, T), (B, U+1)
};
/// options.am_only_scale is 0.
SimpleSolution solve_simple_cpu(const LatticeBatch& batch, const SimpleInputs& inputs,
                                const SimpleLossOptions& options);
/// Gradients of Σ_b weights[b] · loss[b].
SimpleInputs simple_gradients_cpu(const LatticeBatch& batch, const SimpleInputs& inputs,
                                  const at::Tensor& terms, const SimpleInputs& log_sums,
                                  const at::Tensor& weights, const SimpleLossOptions& options);

}  // namespace scion
