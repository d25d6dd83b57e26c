// Self-attention from single tensor operations: over whole utterances, and over the last frames of
// a stream, which have more keys than queries.
#pragma once

#include <ATen/core/Tensor.h>

#include "scion/nn/operators/functional.h"

namespace scion {

/// (B, H, T, d) each.
struct AttentionHeads {
  at::Tensor query, key, value;
};

/// Queries | keys | values (B, T, 3·H·d) of `heads` heads.
AttentionHeads split_heads(const at::Tensor& stacked, int64_t heads);

/// Scores (B, H, Q, K) of the last Q of K frames; position_bias as in relative_attention().
at::Tensor relative_scores(const at::Tensor& query, const at::Tensor& key,
                           const at::Tensor& position_bias);

/// Scores (B, H, Q, K) of the last Q of K frames; positions (Q + K − 1, H·d) for the distances
/// K − 1 … −(Q − 1), the rest as in sinusoid_attention().
at::Tensor sinusoid_scores(const at::Tensor& query, const at::Tensor& key,
                           const at::Tensor& positions, const at::Tensor& content_offset,
                           const at::Tensor& position_offset);

/// The attention mask, true for hidden keys: (B or 1, 1, T, T) bool, by query and key.
at::Tensor hidden_frames(const at::Tensor& lengths, int64_t frames, const AttentionSpan& span);

/// softmax(scores) · value, with dropout → (B, Q, H·d).
at::Tensor attend(const at::Tensor& scores, const at::Tensor& value, double rate,
                  const ForwardContext& context);

}  // namespace scion
