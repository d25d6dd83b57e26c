// The exact transducer (RNN-T) loss (Graves, 2012): -log P(y|x), summed over all alignments of U
// labels in T frames.
//
// What holds for every route to it, the pruned one included:
//   - U = 0 and T = 1 are lattices like others: of blanks alone, of all labels in one frame.
//   - Where there is no alignment the loss is +∞ and the gradient 0: no frame at all (length 0),
//     more labels than frames in the topologies `modified` and `constrained`, an arc of −∞ that
//     every alignment uses, a band that no alignment fits into.
//   - A logit of −∞ forbids its label. NaN or +∞ among an utterance's logits, or a node that
//     forbids all labels, make its loss NaN and its gradient 0. Other utterances do not notice.
//   - UserError, with the value and its place, on wrong shapes and types, lengths beyond the
//     tensors, labels or a blank outside the classes, a label equal to the blank.
//   - What stands behind an utterance's lengths has no influence, and its gradient is 0.
#pragma once

#include <ATen/core/Tensor.h>

namespace scion {

/// How an alignment goes on after a label.
enum class Topology {
  regular,     ///< in the same frame (Graves, 2012)
  modified,    ///< in the next frame: one label a frame at most
  constrained  ///< as modified, and the label's arc counts the blank behind it, too
};

struct TransducerLossOptions {
  int64_t blank = 0;
  /// FastEmit (Yu et al., 2021): gradients through label arcs are 1 + this times as large, so that
  /// labels come early. The loss itself stays the exact one.
  double fast_emit = 0;
  /// Delay penalty (Kang et al., 2023): a label in frame t of T counts as
  /// exp(delay_penalty · ((T − 1) / 2 − t)) times as probable, in loss and gradient.
  double delay_penalty = 0;
  Topology topology = Topology::regular;
  /// Joiner: matrix products of factors rounded to bfloat16, with sums in float, where the
  /// processor has them (AVX512-BF16).
  bool bf16 = false;
  /// Joiner: logits kept from the forward for the backward pass, at most. Utterances whose logits
  /// find no room have them computed twice.
  int64_t workspace_bytes = int64_t{64} << 20;
};

/// From given logits.
///   logits         (B, T, U+1, V) float32, bfloat16 or float16, not normalised
///   tokens         (B, U) int64
///   frame_lengths  (B) int64, each in 0 … T
///   token_lengths  (B) int64, each in 0 … U
/// Returns (B) float32. Differentiable with respect to the logits, in their type: the backward pass
/// only scales what one forward-backward pass has computed.
at::Tensor transducer_loss(const at::Tensor& logits, const at::Tensor& tokens,
                           const at::Tensor& frame_lengths, const at::Tensor& token_lengths,
                           const TransducerLossOptions& options = {});

/// From given log-probabilities (B, T, U+1, V), which are taken as they are: what comes after a
/// log-softmax is the loss from logits. The gradient is with respect to them: minus the
/// probabilities that an alignment uses a node's blank and its next label, 0 at all other labels.
at::Tensor transducer_loss_from_log_probs(const at::Tensor& log_probs, const at::Tensor& tokens,
                                          const at::Tensor& frame_lengths,
                                          const at::Tensor& token_lengths,
                                          const TransducerLossOptions& options = {});

/// Joined with the additive joiner: logits(t,u) = W tanh(encoder(t) + predictor(u)) + b.
///   encoder (B, T, D), predictor (B, U+1, D), weight (V, D), bias (V); types as above, mixed as
///   they come
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
