#include "scion/model/transducer.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/nn/operators/functional.h"
#include "tests/core/error_of.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

using scion::testing::randomise;
using scion::testing::small_config;
using scion::testing::small_config_of_kind;

struct Variant {
  std::string positions, norm;
  int64_t subsampling;
  std::string kind;  // another kind of model: the rest is not used
};

class EveryModel : public ::testing::TestWithParam<Variant> {
 protected:
  ModelConfig config() const {
    if (!GetParam().kind.empty()) return small_config_of_kind(GetParam().kind);
    return small_config(GetParam().positions, GetParam().norm, GetParam().subsampling);
  }
};

TEST_P(EveryModel, GivesTheSameAloneAndInABatch) {
  const at::NoGradGuard no_grad;
  Transducer model(config(), 7);
  randomise(model, 3);
  const at::Tensor features = at::randn({3, 61, 20});
  const std::vector<int64_t> frames = {61, 40, 23};
  const ForwardContext context;
  const EncoderOutput together = model.encode(features, at::tensor(frames), context);
  for (int64_t b = 0; b < 3; ++b) {
    const int64_t length = frames[static_cast<size_t>(b)];
    const EncoderOutput alone = model.encode(features.slice(0, b, b + 1).slice(1, 0, length),
                                             at::tensor({length}), context);
    const int64_t out = alone.lengths.item<int64_t>();
    EXPECT_EQ(out, together.lengths[b].item<int64_t>());
    EXPECT_EQ(alone.frames.size(1), out);
    EXPECT_LT((together.frames[b].slice(0, 0, out) - alone.frames[0]).abs().max().item<float>(),
              1e-5);
  }
}

TEST_P(EveryModel, SilenceIsFiniteHoweverItIsNormalised) {
  const at::NoGradGuard no_grad;
  ModelConfig of_model = config();
  for (const auto normalisation : {FeatureNormalisation::none, FeatureNormalisation::global,
                                   FeatureNormalisation::utterance}) {
    of_model.features.normalisation = normalisation;
    Transducer model(of_model, 7);
    randomise(model, 3);
    const at::Tensor silence = at::full({1, 60, 20}, feature_floor),
                     lengths = at::tensor(std::vector<int64_t>{60});
    EXPECT_TRUE(model.normalise(silence, lengths).isfinite().all().item<bool>());
    EXPECT_TRUE(
        model.encode(silence, lengths, ForwardContext()).frames.isfinite().all().item<bool>())
        << word_of(normalisation);
  }
}

TEST_P(EveryModel, GivesTheSameInBlocksOfTimeAndBandsOfQueries) {
  const at::NoGradGuard no_grad;
  ModelConfig of_model = config();
  for (const auto normalisation : {FeatureNormalisation::global, FeatureNormalisation::utterance}) {
    of_model.features.normalisation = normalisation;
    Transducer model(of_model, 7);
    randomise(model, 3);
    // Attention meets more than one block of keys.
    const at::Tensor features = at::randn({2, 2400, 20});
    const at::Tensor lengths = at::tensor(std::vector<int64_t>{2400, 1301});
    ForwardContext context;
    const EncoderOutput whole = model.encode(features, lengths, context);
    for (const int64_t bytes : {int64_t{1} << 19, int64_t{1} << 17}) {
      context.working_bytes = bytes;
      const EncoderOutput blocks = model.encode(features, lengths, context);
      EXPECT_TRUE(blocks.lengths.equal(whole.lengths));
      for (int64_t b = 0; b < 2; ++b) {
        const int64_t out = whole.lengths[b].item<int64_t>();
        const at::Tensor one = whole.frames[b].slice(0, 0, out);
        EXPECT_LT((blocks.frames[b].slice(0, 0, out) - one).abs().max().item<float>(),
                  1e-5 * std::max(1.0F, one.abs().max().item<float>()))
            << word_of(normalisation) << ", utterance " << b << ", " << bytes << " bytes";
      }
    }
  }
}

TEST_P(EveryModel, HasFiniteGradientsForEveryParameter) {
  Transducer model(config(), 7);
  randomise(model, 4);
  const ForwardContext context = ForwardContext::for_training(1, 1, false);
  const at::Tensor lengths = at::tensor(std::vector<int64_t>{50, 30});
  const EncoderOutput encoded = model.encode(at::randn({2, 50, 20}), lengths, context);
  const at::Tensor tokens = at::tensor(std::vector<int64_t>{1, 2, 3, 4}).view({2, 2});
  const at::Tensor predicted = model.predictor().forward(tokens, context);
  const at::Tensor logits =
      model.joiner().logits(model.joiner().project_encoder(encoded.frames, context).unsqueeze(2),
                            model.joiner().project_predictor(predicted, context).unsqueeze(1));
  EXPECT_EQ(logits.sizes(), (std::vector<int64_t>{2, encoded.frames.size(1), 3, 7}));
  at::Tensor sum = logits.square().sum() + model.ctc_logits(encoded.frames, context).square().sum();
  if (model.config().simple_joiner) {
    const auto [am, lm] = model.simple_logits(encoded.frames, predicted, context);
    EXPECT_EQ(am.sizes(), (std::vector<int64_t>{2, encoded.frames.size(1), 7}));
    EXPECT_EQ(lm.sizes(), (std::vector<int64_t>{2, 3, 7}));
    sum = sum + am.square().sum() + lm.square().sum();
  }
  sum.backward();
  for (const Parameter& parameter : model.registry().all()) {
    if (!parameter.trainable) continue;
    ASSERT_TRUE(parameter.tensor.grad().defined()) << parameter.name;
    EXPECT_TRUE(parameter.tensor.grad().isfinite().all().item<bool>()) << parameter.name;
    EXPECT_GT(parameter.tensor.grad().abs().max().item<float>(), 0) << parameter.name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, EveryModel,
    ::testing::Values(Variant{"bias", "batch", 4, ""}, Variant{"bias", "batch", 6, ""},
                      Variant{"bias", "layer", 4, ""}, Variant{"sinusoid", "batch", 6, ""},
                      Variant{"sinusoid", "layer", 4, ""}, Variant{"", "", 0, "causal"},
                      Variant{"", "", 0, "chunked"}, Variant{"", "", 0, "fast"},
                      Variant{"", "", 0, "fast_causal"}, Variant{"", "", 0, "lstm"},
                      Variant{"", "", 0, "striding"}, Variant{"", "", 0, "depthwise_causal"}),
    [](const auto& info) {
      if (!info.param.kind.empty()) return info.param.kind;
      return fmt::format("{}_{}_by{}", info.param.positions, info.param.norm,
                         info.param.subsampling);
    });

TEST(Transducer, SinusoidalAttentionEqualsTheFormula) {
  // score(i, j) = ((q_i + u) · k_j + (q_i + v) · W r(i − j)) / √d, element by element.
  const at::NoGradGuard no_grad;
  Transducer model(small_config("sinusoid", "layer", 4), 7);
  randomise(model, 5);
  const std::string layer = "encoder.layers.0.attention.";
  const auto value = [&](const std::string& name) {
    return model.registry().find(layer + name)->tensor;
  };
  at::Tensor input, output;
  ForwardContext context;
  context.observe = [&](const std::string& place, const at::Tensor& x) {
    if (place == "encoder.layers.0.feed_forward1") input = x.clone();
    if (place == "encoder.layers.0.attention") output = x.clone();
  };
  model.encode(at::randn({1, 39, 20}), at::tensor(std::vector<int64_t>{39}), context);

  const int64_t frames = input.size(1), heads = 2, width = 6;
  const at::Tensor normed =
      at::layer_norm(input[0], {16}, value("norm.weight"), value("norm.bias"));
  const at::Tensor stacked = (at::matmul(normed, value("in.weight").t()) + value("in.bias"))
                                 .view({frames, 3, heads, width});
  const at::Tensor u = value("content_offset").view({heads, width}),
                   v = value("position_offset").view({heads, width});
  at::Tensor expected = input[0].clone();
  at::Tensor mixed = at::zeros({frames, heads, width});
  for (int64_t h = 0; h < heads; ++h) {
    at::Tensor scores = at::zeros({frames, frames});
    for (int64_t i = 0; i < frames; ++i)
      for (int64_t j = 0; j < frames; ++j) {
        at::Tensor r = at::zeros({16});
        for (int64_t f = 0; f < 8; ++f) {
          const double angle =
              static_cast<double>(i - j) * std::pow(10000.0, -2.0 * static_cast<double>(f) / 16);
          r[2 * f] = std::sin(angle);
          r[2 * f + 1] = std::cos(angle);
        }
        const at::Tensor position = at::mv(value("position.weight"), r).view({heads, width})[h];
        const at::Tensor q = stacked[i][0][h];
        scores[i][j] =
            (at::dot(q + u[h], stacked[j][1][h]) + at::dot(q + v[h], position)) / std::sqrt(6.0);
      }
    mixed.select(1, h).copy_(at::matmul(at::softmax(scores, 1), stacked.select(1, 2).select(1, h)));
  }
  expected += at::matmul(mixed.view({frames, -1}), value("out.weight").t()) + value("out.bias");
  EXPECT_LT((expected - output[0]).abs().max().item<float>(), 1e-5);
}

TEST(Transducer, PresetsHaveTheSizeTheyAreCalledBy) {
  EXPECT_NEAR(static_cast<double>(parameter_count(preset("conformer-76m"), 500)) / 1e6, 76, 1.5);
  EXPECT_NEAR(static_cast<double>(parameter_count(preset("conformer-9m"), 500)) / 1e6, 9, 0.3);
  EXPECT_NEAR(static_cast<double>(parameter_count(preset("an4-teacher"), 29)) / 1e6, 3.58, 0.1);
  EXPECT_NEAR(static_cast<double>(parameter_count(preset("an4-student"), 29)) / 1e6, 0.474, 0.02);
  EXPECT_NEAR(static_cast<double>(parameter_count(preset("fastconformer-113m"), 500)) / 1e6, 113.4,
              0.5);
  EXPECT_NEAR(static_cast<double>(parameter_count(preset("fastconformer-11m"), 500)) / 1e6, 11.3,
              0.1);
  EXPECT_NEAR(static_cast<double>(parameter_count(preset("lstm-65m"), 500)) / 1e6, 64.8, 0.3);
  EXPECT_NEAR(static_cast<double>(parameter_count(preset("lstm-11m"), 500)) / 1e6, 10.8, 0.1);
  EXPECT_THROW(preset("conformer-9"), UserError);
}

TEST(Transducer, ParametersAreCountedWithoutAModel) {
  for (const std::string& name : preset_names())
    for (const int64_t vocabulary : {29, 500})
      EXPECT_EQ(parameter_count(preset(name), vocabulary),
                Transducer(preset(name), vocabulary).registry().parameter_count())
          << name;
}

TEST(Transducer, OnTheMetaDeviceItHasNoMemory) {
  const Transducer model(small_config("sinusoid"), 7, at::kMeta);
  for (const Parameter& parameter : model.registry().all())
    EXPECT_EQ(parameter.tensor.device(), at::kMeta) << parameter.name;
}

TEST(Transducer, ShortUtterancesGiveNoFrames) {
  const at::NoGradGuard no_grad;
  Transducer model(small_config(), 7);
  randomise(model, 6);
  const EncoderOutput encoded =
      model.encode(at::randn({1, 2, 20}), at::tensor(std::vector<int64_t>{2}), ForwardContext());
  EXPECT_EQ(encoded.lengths.item<int64_t>(), 0);
  EXPECT_TRUE(encoded.frames.isfinite().all().item<bool>());
}

}  // namespace
}  // namespace scion
