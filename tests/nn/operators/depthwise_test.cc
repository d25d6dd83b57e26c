#include "scion/nn/operators/depthwise.h"

#include <gtest/gtest.h>

namespace scion {
namespace {

TEST(DepthwiseConvolution, EqualsItsSum) {
  const int64_t frames = 11, channels = 3;
  const at::Tensor x = at::randn({2, frames, channels}), bias = at::randn({channels});
  for (const int64_t taps : {1, 5, 9})
    for (const ConvolutionReach reach :
         {ConvolutionReach{}, ConvolutionReach{.causal = true}, ConvolutionReach{.chunk = 1},
          ConvolutionReach{.chunk = 4}}) {
      const at::Tensor weight = at::randn({channels, 1, taps});
      const at::Tensor y = depthwise_convolution(x, {weight, bias, reach});
      ASSERT_EQ(y.sizes(), x.sizes());
      for (int64_t t = 0; t < frames; ++t) {
        const int64_t end = reach.chunk == 0 ? frames : (t / reach.chunk + 1) * reach.chunk;
        at::Tensor sum = bias.unsqueeze(0).repeat({2, 1});
        for (int64_t k = 0; k < taps; ++k) {
          const int64_t from = t + k - (reach.causal ? taps - 1 : taps / 2);
          if (from < 0 || from >= std::min(end, frames)) continue;
          sum = sum + x.select(1, from) * weight.select(2, k).squeeze(1);
        }
        EXPECT_LT((y.select(1, t) - sum).abs().max().item<float>(), 1e-5);
      }
    }
}

}  // namespace
}  // namespace scion
