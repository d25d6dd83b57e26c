// The loss of a token-and-duration transducer (TDT; Xu et al., "Efficient sequence transduction by
// jointly predicting tokens and durations", 2023): −log P(y|x), summed over all alignments.
//
// Every node (t, u) has a distribution over tokens, blank included, and one over durations. A token
// and a duration d together lead d frames on: a label may have any duration, blank none of 0. An
// alignment ends with a blank whose duration leads exactly to the last frame's end; no other arc
// does, and none leads further. For the rest the promises of transducer_loss.h hold: an utterance
// without an alignment (say, an odd number of frames with the durations 0 and 2) has an infinite
// loss and no gradient.
//
// The topology must be regular. FastEmit multiplies the gradients through label arcs that reach the
// token logits; those of the durations remain as they are (as in NeMo).
#pragma once

#include "scion/loss/lattice/types.h"

namespace scion {

/// UserError unless the durations are as TdtOptions says and sigma is finite.
void check_tdt_options(const TdtOptions& tdt);

/// The loss from logits (B, T, U+1, V + durations): those of V tokens, then one for each duration,
/// both not normalised. Types, result and gradient as transducer_loss(). Errors as there, and a
/// UserError on durations that TdtOptions excludes, another topology, or logits on a GPU.
at::Tensor tdt_loss(const at::Tensor& logits, const LatticeLabels& labels, const TdtOptions& tdt,
                    const TransducerLossOptions& options = {});

/// The loss fused with the additive joiner, whose weight (V + durations, D) and bias have the rows
/// of the durations last. As joiner_transducer_loss(); errors as tdt_loss().
at::Tensor joiner_tdt_loss(const JoinerInputs& joiner, const LatticeLabels& labels,
                           const TdtOptions& tdt, const TransducerLossOptions& options = {});

/// joiner_tdt_loss() and the divergence from a teacher at the nodes, over tokens alone; as
/// distilled_joiner_loss().
DistilledLoss distilled_joiner_tdt_loss(const JoinerInputs& joiner, const LatticeLabels& labels,
                                        const NodeTargets& targets, const TdtOptions& tdt,
                                        const TransducerLossOptions& options = {});

/// The joiner without the rows of its durations: what remains is an RNN-T joiner.
JoinerInputs without_durations(const JoinerInputs& joiner, const TdtOptions& tdt);

}  // namespace scion
