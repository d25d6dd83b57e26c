// The pruned transducer loss (Kuang et al., 2022): a cheap joiner that only adds finds, for every
// frame, the few states worth looking at; the real joiner sees those alone.
//
//   SimpleLoss simple = simple_transducer_loss(am, lm, …);          // first pass
//   at::Tensor ranges = ranges_of_flows(simple.flows, …, 5);        // (B, T, 5)
//   at::Tensor losses = pruned_joiner_loss(encoder, predictor, weight, bias, ranges, …);
//
// What transducer_loss.h says of impossible and broken utterances holds here, too.
#pragma once

#include <ATen/core/Tensor.h>

#include "scion/loss/lattice_loss.h"
#include "scion/loss/transducer_loss.h"

namespace scion {

struct SimpleLossOptions {
  Topology topology = Topology::regular;
  int64_t blank = 0;
  double delay_penalty = 0;  ///< as in TransducerLossOptions
  /// Smoothing: shares of a loss that sees only the predictor, or only the encoder (with the
  /// average of the predictor); the rest is the joined one's.
  double lm_only_scale = 0, am_only_scale = 0;
};

/// The first pass. am (B, T, V), lm (B, U+1, V): what encoder and predictor alone give for every
/// label, not normalised. logits(t, u) = am(t) + lm(u), without ever holding them: the normalisers
/// are one matrix product. In float64 where am is; otherwise in float32.
struct SimpleLoss {
  at::Tensor losses;  ///< (B), differentiable with respect to am and lm
  LatticeArcs arcs;   ///< log-probabilities, without gradient
  LatticeArcs flows;  ///< what lattice_flows() gives for them: for ranges_of_flows()
};
SimpleLoss simple_transducer_loss(const at::Tensor& am, const at::Tensor& lm,
                                  const LatticeLabels& labels, const SimpleLossOptions& options);

/// For every frame the `width` states in a row through which most alignments go: (B, T, W) int64,
/// ascending by one, W = min(width, U + 1). Bounds never fall from a frame to the next, and never
/// rise by more than an alignment can follow; the last frame's hold the last state, unless there
/// are too few frames to get there.
/// UserError when width is below 2 (regular) or 1.
at::Tensor ranges_of_flows(const LatticeArcs& flows, const LatticeLabels& labels, Topology topology,
                           int64_t width);
/// The same from a lattice's log-probabilities.
at::Tensor pruning_ranges(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology,
                          int64_t width);

/// The second pass, fused with the joiner as joiner_transducer_loss() is: the same over the states
/// `ranges` (B, T, W) int64 of each frame, ascending by one in 0 … U; what stands behind an
/// utterance's frames does not matter. Other ones are a UserError where they or the joiner are on
/// the CPU. Where both are on a GPU nobody waits to read them: there they make the utterance's loss
/// NaN and its gradient 0, as broken logits do.
at::Tensor pruned_joiner_loss(const at::Tensor& encoder, const at::Tensor& predictor,
                              const at::Tensor& weight, const at::Tensor& bias,
                              const at::Tensor& ranges, const LatticeLabels& labels,
                              const TransducerLossOptions& options = {});

/// The second pass of any joiner. logits (B, T, W, V) at the states `ranges` (B, T, W), not
/// normalised → (B). Options as above; the smoothing scales have no part in it.
at::Tensor pruned_transducer_loss(const at::Tensor& logits, const at::Tensor& ranges,
                                  const LatticeLabels& labels, const SimpleLossOptions& options);

}  // namespace scion
