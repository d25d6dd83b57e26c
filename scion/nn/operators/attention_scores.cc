#include "scion/nn/operators/attention_scores.h"

namespace scion {

AttentionHeads split_heads(const at::Tensor& stacked, int64_t heads) {
  const at::Tensor parts = stacked.view({stacked.size(0), stacked.size(1), 3, heads, -1})
                               .permute({2, 0, 3, 1, 4});  // (3, B, H, T, d)
  return {parts[0], parts[1], parts[2]};
}

at::Tensor relative_scores(const at::Tensor& query, const at::Tensor& key,
                           const at::Tensor& position_bias) {
  const int64_t queries = query.size(2), keys = key.size(2), range = position_bias.size(1) / 2;
  const auto options = at::TensorOptions(at::kLong).device(query.device());
  const at::Tensor key_time = at::arange(keys, options);
  const at::Tensor query_time = at::arange(keys - queries, keys, options);
  const at::Tensor rows =
      (key_time.unsqueeze(0) - query_time.unsqueeze(1)).clamp(-range, range).add_(range);
  const at::Tensor distances = at::embedding(position_bias.t(), rows).permute({2, 0, 1});
  const double scale = 1 / std::sqrt(static_cast<double>(query.size(3)));
  return at::add(distances, at::matmul(query, key.transpose(2, 3)), scale);
}

// (B, H, Q, Q + K − 1) by distance K − 1 … −(Q − 1) → (B, H, Q, K) by key: row t starts Q − 1 − t
// later.
static at::Tensor shift_to_keys(const at::Tensor& x, int64_t keys) {
  const int64_t queries = x.size(2);
  const at::Tensor padded =
      at::constant_pad_nd(x, {1, 0}).view({x.size(0), x.size(1), -1, queries});
  return padded.slice(2, 1).reshape(x.sizes()).slice(3, 0, keys);
}

at::Tensor sinusoid_scores(const at::Tensor& query, const at::Tensor& key,
                           const at::Tensor& positions, const at::Tensor& content_offset,
                           const at::Tensor& position_offset) {
  const int64_t heads = query.size(1), width = query.size(3);
  const auto with_offset = [&](const at::Tensor& offset) {
    return query + offset.view({heads, 1, width});
  };
  const at::Tensor content = at::matmul(with_offset(content_offset), key.transpose(2, 3));
  const at::Tensor distances =
      positions.view({-1, heads, width}).permute({1, 2, 0});  // (H, d, Q + K − 1)
  const at::Tensor position =
      shift_to_keys(at::matmul(with_offset(position_offset), distances), key.size(2));
  return (content + position) / std::sqrt(static_cast<double>(width));
}

at::Tensor hidden_frames(const at::Tensor& lengths, int64_t frames, const AttentionSpan& span) {
  const at::Tensor padding =
      valid_frames(lengths, frames).logical_not().view({lengths.size(0), 1, 1, frames});
  if (span.chunk == 0) return padding;
  const at::Tensor time = at::arange(frames, lengths.options());
  const at::Tensor chunk_start = time.div(span.chunk, "floor").mul_(span.chunk).unsqueeze(1);
  const at::Tensor key = time.unsqueeze(0);
  const at::Tensor outside =
      (key < chunk_start - span.left).logical_or(key >= chunk_start + span.chunk);
  // A padding frame sees itself, because a softmax over nothing is not a number.
  return padding.logical_or(outside).logical_and(key != time.unsqueeze(1));
}

at::Tensor attend(const at::Tensor& scores, const at::Tensor& value, double rate,
                  const ForwardContext& context) {
  const at::Tensor weights = dropout(at::softmax(scores, -1), rate, context);
  return at::matmul(weights, value).transpose(1, 2).flatten(2);
}

}  // namespace scion
