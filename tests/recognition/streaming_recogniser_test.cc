#include "scion/recognition/streaming_recogniser.h"

#include <gtest/gtest.h>

#include "tests/model/small_models.h"

namespace scion {
namespace {

TEST(StreamingRecogniser, SaysWhatAWholePassSays) {
  for (const std::string kind : {"causal", "chunked", "fast_causal", "lstm"}) {
    SCOPED_TRACE(kind);
    Transducer model(testing::small_config_of_kind(kind), 9);
    testing::randomise(model, 41);
    {
      const at::NoGradGuard no_grad;  // so that it speaks
      model.registry().find("joiner.output.bias")->tensor[blank] -= 2;
    }
    at::manual_seed(3);
    const at::Tensor samples = at::randn({24000}) * 0.1;
    const float* const first = samples.const_data_ptr<float>();

    const at::NoGradGuard no_grad;
    const at::Tensor features = Fbank(model.config().features).compute(samples);
    const EncoderOutput encoded =
        model.encode(features.unsqueeze(0), at::tensor({features.size(0)}), ForwardContext());
    const Hypothesis whole = greedy_search(model, encoded, {}, ForwardContext()).front();
    ASSERT_GT(whole.tokens.size(), 3);

    StreamingRecogniser recogniser(model, {}, ForwardContext());
    size_t said = 0;
    for (int64_t i = 0; i < 24000; i += 1600) {
      recogniser.accept(first + i, 1600);
      EXPECT_GE(recogniser.hypothesis().tokens.size(), said);
      said = recogniser.hypothesis().tokens.size();
    }
    EXPECT_GT(said, 0);
    recogniser.finish();
    EXPECT_EQ(recogniser.hypothesis().tokens, whole.tokens);
    EXPECT_EQ(recogniser.hypothesis().frames, whole.frames);
  }
}

}  // namespace
}  // namespace scion
