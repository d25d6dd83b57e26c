// The joiner fused with the transducer loss on the CPU, in two halves as given.h. Internal to
// scion/loss.
#pragma once

#include "scion/loss/cpu/distillation.h"
#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

struct JoinerSolution {
  at::Tensor losses;       ///< (B) float
  at::Tensor divergences;  ///< (B) float; undefined without targets
  at::Tensor terms;        ///< NodeTerms' storage, with flows if asked for
  at::Tensor kept;         ///< nodes of the utterances that fit in the workspace
};
/// The joiner's tensors are float and contiguous.
JoinerSolution solve_from_joiner_cpu(const LatticeBatch& batch, const JoinerInputs& joiner,
                                     bool flows, const JoinerSettings& settings,
                                     const TargetNodes& targets = {});
/// Upstream weights of an utterance's two losses, (B) each.
struct LossWeights {
  at::Tensor transducer;
  at::Tensor divergence;  ///< undefined without targets
};
/// Gradients of Σ_b weights.transducer[b] · loss[b] + weights.divergence[b] · divergence[b].
/// Terms and kept nodes as the forward half returned them, settings and targets as it was given.
JoinerInputs joiner_gradients_cpu(const LatticeBatch& batch, const JoinerInputs& joiner,
                                  const at::Tensor& terms, const at::Tensor& kept,
                                  const LossWeights& weights, const JoinerSettings& settings,
                                  const TargetNodes& targets = {});

/// The solved lattices of a joiner on any device and of any type, without gradient. UserError as
/// joiner_transducer_loss(), with durations as joiner_tdt_loss().
struct SolvedLattices {
  LatticeBatch batch;
  NodeTerms terms;  ///< log-probabilities, or flows (without FastEmit) if asked for
};
SolvedLattices solve_lattices_of(const JoinerInputs& joiner, const LatticeLabels& labels,
                                 const TransducerLossOptions& options, bool flows,
                                 const TdtOptions& tdt = {});

}  // namespace scion
