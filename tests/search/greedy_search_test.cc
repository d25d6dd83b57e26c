#include "scion/search/greedy_search.h"

#include <gtest/gtest.h>

#include "scion/search/device_greedy_search.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

constexpr int64_t vocabulary = 7;

// A model that emits about as many labels as blanks.
std::unique_ptr<Transducer> random_model(const std::string& kind) {
  auto model = std::make_unique<Transducer>(testing::small_config_of_kind(kind), vocabulary);
  testing::randomise(*model, 11);
  const at::NoGradGuard no_grad;
  model->registry().find("joiner.output.bias")->tensor[blank] += 1;
  return model;
}

EncoderOutput random_frames(const Transducer& model, const std::vector<int64_t>& lengths) {
  at::manual_seed(5);
  const int64_t width = model.encoder().output_axis().size();
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  return {at::randn({static_cast<int64_t>(lengths.size()), longest, width}), at::tensor(lengths)};
}

// One utterance (T, width), step by step, with a predictor that is run over all labels every time.
Hypothesis search_by_hand(const Transducer& model, const at::Tensor& frames, int64_t symbols) {
  const ForwardContext context;
  const at::Tensor encoded = model.joiner().project_encoder(frames, context);
  Hypothesis found;
  for (int64_t t = 0; t < frames.size(0); ++t)
    for (int64_t symbol = 0; symbol < symbols; ++symbol) {
      const at::Tensor tokens = at::tensor(found.tokens, at::kLong).unsqueeze(0);
      const at::Tensor predicted = model.predictor().forward(tokens, context)[0][-1];
      const at::Tensor scores =
          model.joiner()
              .logits(encoded[t], model.joiner().project_predictor(predicted, context))
              .log_softmax(0);
      const int64_t best = scores.argmax(0).item<int64_t>();
      found.log_probability += scores[best].item<double>();
      if (best == blank) break;
      found.tokens.push_back(best);
      found.frames.push_back(t);
    }
  return found;
}

void expect_equal(const Hypothesis& found, const Hypothesis& expected) {
  EXPECT_EQ(found.tokens, expected.tokens);
  EXPECT_EQ(found.frames, expected.frames);
  EXPECT_NEAR(found.log_probability, expected.log_probability,
              1e-4 * (1 + std::abs(expected.log_probability)));
}

TEST(GreedySearch, FindsWhatStepsByHandFind) {
  const at::NoGradGuard no_grad;
  for (const std::string kind : {"causal", "lstm"}) {  // a stateless and an LSTM predictor
    SCOPED_TRACE(kind);
    const auto model = random_model(kind);
    const std::vector<int64_t> lengths = {9, 1, 0, 14, 6};
    const EncoderOutput encoded = random_frames(*model, lengths);
    const auto found = find_hypotheses(*model, encoded, {.symbols_per_frame = 2}, ForwardContext());
    ASSERT_EQ(found.size(), lengths.size());
    size_t labels = 0;
    for (size_t b = 0; b < lengths.size(); ++b) {
      SCOPED_TRACE(b);
      const at::Tensor frames = encoded.frames[static_cast<int64_t>(b)].slice(0, 0, lengths[b]);
      expect_equal(found[b], search_by_hand(*model, frames, 2));
      labels += found[b].tokens.size();
    }
    EXPECT_GT(labels, 5U);
    EXPECT_LT(labels, 60U);  // not the limit in every frame: some blanks, too
  }
}

// The tensors are on the CPU: the steps are the same on a GPU.
TEST(DeviceGreedySearch, FindsWhatTheOtherSearchFinds) {
  const at::NoGradGuard no_grad;
  for (const std::string kind : {"causal", "lstm"})
    for (const int64_t symbols : {1, 2, 20}) {
      SCOPED_TRACE(fmt::format("{}, {} symbols a frame", kind, symbols));
      const auto model = random_model(kind);
      const SearchConfig config{.symbols_per_frame = symbols};
      GreedySearch expected(*model, 5, config, ForwardContext());
      DeviceGreedySearch found(*model, 5, config, ForwardContext());
      // In pieces, one of which has no valid frame.
      for (const std::vector<int64_t>& lengths :
           std::vector<std::vector<int64_t>>{{9, 1, 0, 14, 6}, {0, 0, 0, 0, 0}, {3, 5, 2, 1, 4}}) {
        const EncoderOutput encoded = {at::randn({5, 14, model->encoder().output_axis().size()}),
                                       at::tensor(lengths)};
        expected.advance(encoded);
        found.advance(encoded);
      }
      for (size_t b = 0; b < 5; ++b) expect_equal(found.hypotheses()[b], expected.hypotheses()[b]);
    }
}

TEST(GreedySearch, PiecesFindWhatTheWholeFinds) {
  const at::NoGradGuard no_grad;
  const auto model = random_model("lstm");
  const EncoderOutput encoded = random_frames(*model, {12, 8});
  const auto whole = find_hypotheses(*model, encoded, {}, ForwardContext());
  const auto search = make_search(*model, 2, {}, ForwardContext());
  for (const auto& [first, last] : {std::pair{0, 5}, {5, 6}, {6, 12}})
    search->advance(
        {encoded.frames.slice(1, first, last), (encoded.lengths - first).clamp(0, last - first)});
  for (size_t b = 0; b < 2; ++b) expect_equal(search->hypotheses()[b], whole[b]);
}

TEST(GreedySearch, NothingToSearchGivesEmptyHypotheses) {
  const auto model = random_model("causal");
  const int64_t width = model->encoder().output_axis().size();
  const EncoderOutput short_ones{at::zeros({2, 0, width}), at::zeros({2}, at::kLong)};
  for (const Hypothesis& one : find_hypotheses(*model, short_ones, {}, ForwardContext()))
    expect_equal(one, {});
  const EncoderOutput empty{at::zeros({0, 4, width}), at::zeros({0}, at::kLong)};
  EXPECT_TRUE(find_hypotheses(*model, empty, {}, ForwardContext()).empty());
}

}  // namespace
}  // namespace scion
