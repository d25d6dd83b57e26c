// The pruned transducer loss (Kuang et al., 2022): an additive "simple" joiner finds the few states
// worth keeping in each frame; the real joiner is evaluated at these alone.
//
//   SimpleLoss simple = simple_transducer_loss(am, lm, labels, {});             // first pass
//   at::Tensor ranges = ranges_of_flows(simple.flows, labels, topology, 5);     // (B, T, 5)
//   at::Tensor losses = pruned_joiner_loss(joiner, ranges, labels);             // second pass
//
// The promises of transducer_loss.h hold here, too.
#pragma once

#include "scion/loss/lattice/types.h"

namespace scion {

/// The first pass. am (B, T, V) and lm (B, U+1, V) are unnormalised logits of encoder and predictor
/// alone. logits(t, u) = am(t) + lm(u) are never held: the normalisers are one matrix product. In
/// float64 if am is; otherwise in float32.
struct SimpleLoss {
  at::Tensor losses;  ///< (B), differentiable with respect to am and lm
  LatticeArcs arcs;   ///< log-probabilities, without gradient
  LatticeArcs flows;  ///< lattice_flows() of these arcs, for ranges_of_flows()
};
SimpleLoss simple_transducer_loss(const at::Tensor& am, const at::Tensor& lm,
                                  const LatticeLabels& labels, const SimpleLossOptions& options);

/// For every frame the `width` consecutive states through which most alignments pass: (B, T, W)
/// int64, ascending by one, W = min(width, U + 1). The first state never falls from a frame to the
/// next and never rises by more than an alignment can follow; the last frame's range includes the
/// last state unless there are too few frames to reach it.
/// UserError if width is below 2 (regular) or 1.
at::Tensor ranges_of_flows(const LatticeArcs& flows, const LatticeLabels& labels, Topology topology,
                           int64_t width);
/// The same from a lattice's log-probabilities.
at::Tensor pruning_ranges(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology,
                          int64_t width);

/// The second pass, fused with the joiner: joiner_transducer_loss() over the states `ranges`
/// (B, T, W) int64 of each frame, ascending by one in 0 … U; ranges past an utterance's frames are
/// ignored. Invalid ranges are a UserError if they or the joiner are on the CPU. If both are on a
/// GPU, reading them would synchronise it: there they make the utterance's loss NaN and its
/// gradient 0, as broken logits do.
at::Tensor pruned_joiner_loss(const JoinerInputs& joiner, const at::Tensor& ranges,
                              const LatticeLabels& labels,
                              const TransducerLossOptions& options = {});

/// The second pass of any joiner. Unnormalised logits (B, T, W, V) at the states `ranges`
/// (B, T, W) → (B), differentiable with respect to the logits. The smoothing scales have no effect.
at::Tensor pruned_transducer_loss(const at::Tensor& logits, const at::Tensor& ranges,
                                  const LatticeLabels& labels, const SimpleLossOptions& options);

}  // namespace scion
