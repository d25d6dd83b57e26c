#include "scion/model/streaming_encoder.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

using scion::testing::randomise;
using scion::testing::small_config;
using scion::testing::small_config_of_kind;

at::Tensor stream_in_pieces(const Transducer& model, const at::Tensor& features, int64_t piece) {
  StreamingEncoder stream(model, ForwardContext());
  std::vector<at::Tensor> frames;
  for (int64_t t = 0; t < features.size(0); t += piece)
    frames.push_back(stream.accept(features.slice(0, t, t + piece)));
  frames.push_back(stream.finish());
  return at::cat(frames, 1);
}

class EveryStreamingKind : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryStreamingKind, GivesWhatTheWholeUtteranceGives) {
  const at::NoGradGuard no_grad;
  Transducer model(small_config_of_kind(GetParam()), 7);
  randomise(model, 21);
  for (const int64_t frames : {3, 24, 40, 95, 160}) {
    const at::Tensor features = at::randn({frames, 20});
    const EncoderOutput whole =
        model.encode(features.unsqueeze(0), at::tensor({frames}), ForwardContext());
    const int64_t count = whole.lengths.item<int64_t>();
    for (const int64_t piece : {1, 7, 16, 200}) {
      SCOPED_TRACE(fmt::format("{} frames in pieces of {}", frames, piece));
      const at::Tensor streamed = stream_in_pieces(model, features, piece);
      ASSERT_EQ(streamed.size(1), count);
      if (count == 0) continue;
      EXPECT_LT((streamed - whole.frames.slice(1, 0, count)).abs().max().item<float>(), 1e-5);
    }
  }
}

TEST_P(EveryStreamingKind, GivesAFrameAsSoonAsItsChunkIsThere) {
  Transducer model(small_config_of_kind(GetParam()), 7);
  randomise(model, 22);
  const int64_t chunk = model.encoder().chunk_frames();
  StreamingEncoder stream(model, ForwardContext());
  int64_t given = 0;
  for (int64_t t = 1; t <= 120; ++t) {
    given += stream.accept(at::randn({1, 20})).size(1);
    EXPECT_EQ(given, model.encoder().subsampling().frames_settled(t) / chunk * chunk) << t;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryStreamingKind,
                         ::testing::Values("causal", "chunked", "fast_causal", "lstm",
                                           "depthwise_causal"),
                         [](const auto& info) { return info.param; });

TEST(StreamingEncoder, RefusesModelsThatSeeWholeUtterances) {
  const Transducer model(small_config(), 7);
  EXPECT_THROW(StreamingEncoder(model, ForwardContext()), UserError);
  ModelConfig config = small_config_of_kind("causal");
  config.features.normalisation = FeatureNormalisation::utterance;
  const Transducer normalising(config, 7);
  EXPECT_THROW(StreamingEncoder(normalising, ForwardContext()), UserError);
}

TEST(StreamingPresets, CanStream) {
  for (const std::string& name : preset_names()) {
    const ModelConfig config = preset(name);
    if (name.find("76m") != std::string::npos || name.find("113m") != std::string::npos) continue;
    const Transducer model(config, 29);
    const bool streaming = name.ends_with("-streaming") || name.starts_with("lstm");
    if (streaming)
      EXPECT_NO_THROW(StreamingEncoder(model, ForwardContext())) << name;
    else
      EXPECT_THROW(StreamingEncoder(model, ForwardContext()), UserError) << name;
  }
}

}  // namespace
}  // namespace scion
