#include "scion/nn/operators/attention_scores.h"

#include <gtest/gtest.h>

#include "scion/nn/operators/composed.h"

namespace scion {
namespace {

TEST(HiddenFrames, ChunksSeeThemselvesAndWhatIsLeftOfThem) {
  const std::vector<int64_t> lengths = {11, 6};
  for (const int64_t chunk : {1, 3, 4})
    for (const int64_t left : {0, 2, 5, 20}) {
      const at::Tensor hidden = hidden_frames(at::tensor(lengths), 11, {chunk, left});
      for (int64_t b = 0; b < 2; ++b)
        for (int64_t query = 0; query < 11; ++query)
          for (int64_t key = 0; key < 11; ++key) {
            const int64_t start = query / chunk * chunk;
            const bool seen =
                key >= start - left && key < start + chunk && key < lengths[static_cast<size_t>(b)];
            EXPECT_EQ(hidden[b][0][query][key].item<bool>(), !seen && key != query);
          }
    }
}

TEST(Scores, OfTheLastFramesAreTheLastRowsOfAll) {
  const at::Tensor stacked = at::randn({2, 9, 36}), bias = at::randn({3, 7});
  const AttentionHeads heads = split_heads(stacked, 3);
  const at::Tensor u = at::randn({12}), v = at::randn({12}), positions = at::randn({17, 12});
  const at::Tensor all = relative_scores(heads.query, heads.key, bias);
  const at::Tensor all_sinusoid = sinusoid_scores(heads.query, heads.key, positions, u, v);
  for (const int64_t queries : {1, 4, 9}) {
    const at::Tensor query = heads.query.slice(2, 9 - queries);
    EXPECT_LT((relative_scores(query, heads.key, bias) - all.slice(2, 9 - queries))
                  .abs()
                  .max()
                  .item<float>(),
              1e-5);
    // Distances 8 … −8 of all; the last Q queries need 8 … −(Q − 1).
    EXPECT_LT((sinusoid_scores(query, heads.key, positions.slice(0, 0, 8 + queries), u, v) -
               all_sinusoid.slice(2, 9 - queries))
                  .abs()
                  .max()
                  .item<float>(),
              1e-5);
  }
}

TEST(Span, AChunkOfEverythingIsNoSpan) {
  const at::Tensor h = at::randn({2, 10, 24}), bias = at::randn({24}), table = at::randn({2, 5});
  const at::Tensor lengths = at::tensor(std::vector<int64_t>{10, 10});
  const at::Tensor whole = relative_attention(h, bias, table, lengths, {}, 0, ForwardContext());
  const at::Tensor chunk =
      relative_attention(h, bias, table, lengths, {10, 0}, 0, ForwardContext());
  EXPECT_LT((whole - chunk).abs().max().item<float>(), 1e-5);
}

}  // namespace
}  // namespace scion
