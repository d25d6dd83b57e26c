// The pruned transducer loss (Kuang et al., 2022): a cheap joiner that only adds finds, for every
// frame, the few states worth looking at; the real joiner sees those alone.
//
//   SimpleLoss simple = simple_transducer_loss(am, lm, …);          // first pass
//   at::Tensor ranges = pruning_ranges(simple.arcs, …, 5);          // (B, T, 5)
//   … logits (B, T, 5, V) of the joiner on encoder and predictor at `ranges` …
//   at::Tensor losses = pruned_transducer_loss(logits, ranges, …);  // second pass
#pragma once

#include <ATen/core/Tensor.h>

#include "scion/transducer/loss.h"

namespace scion {

/// How an alignment goes on after a label.
enum class Topology {
  regular,     ///< in the same frame (Graves, 2012)
  modified,    ///< in the next frame: one label a frame at most
  constrained  ///< as modified, and the label's arc counts the blank behind it, too
};

/// Labels and lengths of a batch: tokens (B, U), frame_lengths (B) in 1 … T, token_lengths (B) in
/// 0 … U; int64. What stands behind a length has no influence.
struct LatticeLabels {
  at::Tensor tokens, frame_lengths, token_lengths;
};

/// Log-probabilities of a lattice's arcs, or the probabilities that an alignment uses them.
struct LatticeArcs {
  at::Tensor blank;  ///< (B, T, U+1): from frame t to t+1, u labels said
  at::Tensor label;  ///< (B, T, U): label u+1 in frame t
};

/// -log of the sum over all alignments (B); infinite where there is none. Differentiable with
/// respect to both; float or double. Runs through both tensors once forth and once back.
at::Tensor lattice_loss(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology);

/// The probabilities that an alignment uses each arc (k2's px_grad and py_grad); without gradient.
LatticeArcs lattice_flows(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology);

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
/// are one matrix product.
struct SimpleLoss {
  at::Tensor losses;  ///< (B), differentiable with respect to am and lm
  LatticeArcs arcs;   ///< log-probabilities, for pruning_ranges()
};
SimpleLoss simple_transducer_loss(const at::Tensor& am, const at::Tensor& lm,
                                  const LatticeLabels& labels, const SimpleLossOptions& options);

/// For every frame the `width` states in a row through which most alignments go: (B, T, W) int64,
/// ascending by one, W = min(width, U + 1). Bounds never fall from a frame to the next, and never
/// rise by more than an alignment can follow; the last frame's hold the last state.
/// UserError when width is below 2 (regular) or 1.
at::Tensor pruning_ranges(const LatticeArcs& arcs, const LatticeLabels& labels, Topology topology,
                          int64_t width);

/// What the joiner needs: encoder (B, T, D) → (B, T, 1, D) and predictor (B, U+1, D) →
/// (B, T, W, D), its rows at `ranges`.
std::pair<at::Tensor, at::Tensor> take_ranges(const at::Tensor& encoder,
                                              const at::Tensor& predictor,
                                              const at::Tensor& ranges);

/// The second pass. logits (B, T, W, V) at the states `ranges` (B, T, W), not normalised → (B).
/// Options as above; the smoothing scales have no part in it.
at::Tensor pruned_transducer_loss(const at::Tensor& logits, const at::Tensor& ranges,
                                  const LatticeLabels& labels, const SimpleLossOptions& options);

}  // namespace scion
