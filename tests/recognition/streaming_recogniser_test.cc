#include "scion/recognition/streaming_recogniser.h"

#include <gtest/gtest.h>

#include "tests/model/small_models.h"

namespace scion {
namespace {

TEST(StreamingRecogniser, FindsWhatAWholePassFinds) {
  const Tokenizer tokenizer = Tokenizer::train({"one two"}, {});
  for (const std::string kind : {"causal", "chunked", "fast_causal", "lstm"}) {
    SCOPED_TRACE(kind);
    Transducer model(testing::small_config_of_kind(kind), 9);
    testing::randomise(model, 41);
    {
      const at::NoGradGuard no_grad;  // so that it emits labels
      model.registry().find("joiner.output.bias")->tensor[blank] -= 2;
    }
    at::manual_seed(3);
    const at::Tensor samples = at::randn({24000}) * 0.1;
    const float* const first = samples.const_data_ptr<float>();

    const at::NoGradGuard no_grad;
    const at::Tensor features = Fbank(model.config().features).compute(samples);
    const EncoderOutput encoded =
        model.encode(features.unsqueeze(0), at::tensor({features.size(0)}), ForwardContext());
    const Hypothesis whole = find_hypotheses(model, encoded, {}, ForwardContext()).front();
    ASSERT_GT(whole.tokens.size(), 3);

    StreamingRecogniser recogniser(model, tokenizer, {}, ForwardContext());
    size_t found = 0;
    for (int64_t i = 0; i < 24000; i += 1600) {
      recogniser.accept(first + i, 1600);
      EXPECT_GE(recogniser.hypothesis().tokens.size(), found);
      found = recogniser.hypothesis().tokens.size();
    }
    EXPECT_GT(found, 0);
    recogniser.finish();
    EXPECT_EQ(recogniser.hypothesis().tokens, whole.tokens);
    EXPECT_EQ(recogniser.hypothesis().frames, whole.frames);
  }
}

}  // namespace
}  // namespace scion
