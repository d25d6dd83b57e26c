// The CTC loss (Graves et al., 2006), as an auxiliary of the transducer loss.
#pragma once

#include <ATen/core/Tensor.h>

namespace scion {

/// -log P_ctc(y|x) per utterance: logits (B, T, V) float, tokens (B, U) int64, lengths (B) int64 →
/// (B) float32. An utterance with too few frames for its labels (repeats need a blank between
/// them), or with none at all, gives infinity and zero gradient.
at::Tensor ctc_loss(const at::Tensor& logits, const at::Tensor& tokens,
                    const at::Tensor& frame_lengths, const at::Tensor& token_lengths,
                    int64_t blank = 0);

}  // namespace scion
