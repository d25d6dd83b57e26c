// The exact transducer (RNN-T) loss (Graves, 2012): -log P(y|x), summed over all alignments of U
// labels in T frames.
#pragma once

#include <ATen/core/Tensor.h>

namespace scion {

struct TransducerLossOptions {
  int64_t blank = 0;
  /// FastEmit (Yu et al., 2021): gradients through label arcs are 1 + this times as large, so that
  /// labels come early. The loss itself stays the exact one.
  double fast_emit = 0;
  /// Delay penalty (Kang et al., 2023): a label in frame t of T counts as
  /// exp(delay_penalty · ((T − 1) / 2 − t)) times as probable, in loss and gradient.
  double delay_penalty = 0;
  /// Joiner: matrix products of factors rounded to bfloat16, with sums in float, where the
  /// processor has them (AVX512-BF16).
  bool bf16 = false;
  /// Joiner: logits kept from the forward for the backward pass, at most. Utterances whose logits
  /// find no room have them computed twice.
  int64_t workspace_bytes = int64_t{64} << 20;
};

/// From given logits.
///   logits         (B, T, U+1, V) float32 or bfloat16, not normalised
///   tokens         (B, U) int64
///   frame_lengths  (B) int64, each in 1 … T
///   token_lengths  (B) int64, each in 0 … U
/// Returns (B) float32. Differentiable with respect to the logits: the backward pass only scales
/// what one forward-backward pass has computed. Padding gets zero gradient.
/// UserError on wrong shapes, lengths or labels out of range, or a label equal to blank.
at::Tensor transducer_loss(const at::Tensor& logits, const at::Tensor& tokens,
                           const at::Tensor& frame_lengths, const at::Tensor& token_lengths,
                           const TransducerLossOptions& options = {});

/// Joined with the additive joiner: logits(t,u) = W tanh(encoder(t) + predictor(u)) + b.
///   encoder (B, T, D), predictor (B, U+1, D), weight (V, D), bias (V)
/// Differentiable with respect to all four.
at::Tensor joiner_transducer_loss(const at::Tensor& encoder, const at::Tensor& predictor,
                                  const at::Tensor& weight, const at::Tensor& bias,
                                  const at::Tensor& tokens, const at::Tensor& frame_lengths,
                                  const at::Tensor& token_lengths,
                                  const TransducerLossOptions& options = {});

/// What a teacher says of every node (t, u), collapsed to three classes: constants.
struct NodeTargets {
  at::Tensor probabilities;  ///< (3, B, T, U+1) float: blank, next label (0 at u = U), all others
  at::Tensor weights;        ///< (B, T, U+1) float, 0 in padding
};

/// Two losses of the same nodes, (B) float each.
struct DistilledLoss {
  at::Tensor transducer;  ///< joiner_transducer_loss
  /// Σ over nodes of weight · Σ over classes c of q_c · log(q_c / p_c): q the teacher's
  /// probabilities, p those of the joiner's softmax in the same classes (without delay penalty).
  at::Tensor divergence;
};

/// joiner_transducer_loss and the divergence from a teacher (Panchapagesan et al., 2021) in one
/// pass over the nodes; the teacher's joiner may have any width. Its logits' gradient at a node is
///   weight · (p_v − q_blank [v = blank] − q_label [v = label] − q_rest p_v / p_rest [v another]).
/// Errors as there, and a UserError where the targets have another size.
DistilledLoss distilled_joiner_loss(const at::Tensor& encoder, const at::Tensor& predictor,
                                    const at::Tensor& weight, const at::Tensor& bias,
                                    const at::Tensor& tokens, const at::Tensor& frame_lengths,
                                    const at::Tensor& token_lengths, const NodeTargets& targets,
                                    const TransducerLossOptions& options = {});

}  // namespace scion
