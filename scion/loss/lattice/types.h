// The inputs, options and results that the transducer losses share.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace scion {

/// Where an alignment continues after a label.
enum class Topology {
  regular,     ///< in the same frame (Graves, 2012)
  modified,    ///< in the next frame: at most one label per frame
  constrained  ///< as modified, and a label's arc includes the blank that follows the label: the
               ///< blank of the same frame, one state on
};

/// Options of the losses over logits, log-probabilities or a joiner.
struct TransducerLossOptions {
  int64_t blank = 0;
  /// FastEmit (Yu et al., 2021): multiplies the gradients through label arcs by 1 + fast_emit,
  /// which makes labels come earlier. The loss itself remains exact. In the topology `constrained`
  /// a label's arc includes a blank, and the part of that blank's gradient that comes through the
  /// arc is multiplied, too.
  double fast_emit = 0;
  /// Delay penalty (Kang et al., 2023): multiplies the probability of a label in frame t of T by
  /// exp(delay_penalty · ((T − 1) / 2 − t)), in loss and gradient.
  double delay_penalty = 0;
  Topology topology = Topology::regular;
  /// Joiner: matrix products of factors rounded to bfloat16 with sums in float, where the hardware
  /// has them (AVX512-BF16 on a CPU).
  bool bf16 = false;
  /// Joiner: upper limit in bytes of the logits kept from the forward for the backward pass.
  /// Logits that do not fit are computed a second time.
  int64_t workspace_bytes = int64_t{64} << 20;
};

/// What a token-and-duration transducer (TDT; Xu et al., 2023) adds to the options of the loss.
struct TdtOptions {
  /// Frames that each duration logit moves on: each in 0 … 10000, in any order, none twice, at
  /// least one above 0.
  std::vector<int64_t> durations;
  /// Logit under-normalisation: subtracted from the log-probability of every token, blank included,
  /// not from those of durations.
  double sigma = 0;
};

/// Options of the simple joiner's loss, the first pass of the pruned loss.
struct SimpleLossOptions {
  Topology topology = Topology::regular;
  int64_t blank = 0;
  double delay_penalty = 0;  ///< as in TransducerLossOptions
  /// Smoothing: shares of a loss that sees only the predictor, and of one that sees only the
  /// encoder (with the batch's average predictor); the remaining share is that of the joined loss.
  double lm_only_scale = 0, am_only_scale = 0;
};

/// Labels and lengths of a batch, int64. Whatever lies beyond a length has no influence.
struct LatticeLabels {
  at::Tensor tokens;         ///< (B, U)
  at::Tensor frame_lengths;  ///< (B), each in 0 … T
  at::Tensor token_lengths;  ///< (B), each in 0 … U
};

/// f of the additive joiner.
enum class JoinerActivation { tanh, relu };

/// The additive joiner: logits(t, u) = weight · f(encoder(t) + predictor(u)) + bias. Types are
/// float32, bfloat16 or float16, in any mixture. Gradients with respect to the inputs have the same
/// form.
struct JoinerInputs {
  at::Tensor encoder, predictor;  ///< (B, T, D), (B, U+1, D): projections to the joiner's width
  at::Tensor weight, bias;        ///< (V, D), (V); a TDT joiner has a row more for each duration
  JoinerActivation activation = JoinerActivation::tanh;
};

/// Log-probabilities of a lattice's arcs, or the probabilities that an alignment uses them.
struct LatticeArcs {
  at::Tensor blank;  ///< (B, T, U+1): from frame t to t+1 after u labels
  at::Tensor label;  ///< (B, T, U): label u+1 in frame t
};

/// A teacher's probabilities at every node (t, u), collapsed to three classes; constants.
struct NodeTargets {
  at::Tensor probabilities;  ///< (3, B, T, U+1) float: blank, next label (0 at u = U), all others
  at::Tensor weights;        ///< (B, T, U+1) float, 0 in padding
};

/// The two losses of distilled_joiner_loss, (B) float each.
struct DistilledLoss {
  at::Tensor transducer;  ///< joiner_transducer_loss
  /// Σ over nodes of weight · Σ over classes c of q_c · log(q_c / p_c), where q are the teacher's
  /// probabilities and p those of the joiner's softmax in the same classes (without delay penalty).
  at::Tensor divergence;
};

}  // namespace scion
