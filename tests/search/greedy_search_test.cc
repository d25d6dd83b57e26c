#include "scion/search/greedy_search.h"

#include "scion/search/device_greedy_search.h"
#include "tests/search/search_cases.h"

namespace scion {
namespace {

using testing::expect_equal;
using testing::random_frames;
using testing::search_model;

// One utterance (T, width), step by step.
Hypothesis search_by_hand(const Transducer& model, const at::Tensor& frames, int64_t symbols) {
  const at::Tensor encoded = model.joiner().project_encoder(frames, ForwardContext());
  Hypothesis found;
  for (int64_t t = 0; t < frames.size(0); ++t)
    for (int64_t symbol = 0; symbol < symbols; ++symbol) {
      const at::Tensor scores = testing::label_scores_by_hand(model, encoded[t], found.tokens);
      const int64_t best = scores.argmax(0).item<int64_t>();
      found.log_probability += scores[best].item<double>();
      if (best == blank) break;
      found.tokens.push_back(best);
      found.frames.push_back(t);
    }
  return found;
}

TEST(GreedySearch, FindsWhatStepsByHandFind) {
  const at::NoGradGuard no_grad;
  for (const std::string kind : {"causal", "lstm", "rectifier"}) {
    SCOPED_TRACE(kind);
    const auto model = search_model(kind);
    const std::vector<int64_t> lengths = {9, 1, 0, 14, 6};
    const EncoderOutput encoded = random_frames(*model, lengths);
    for (const int64_t symbols : {1, 2, 10}) {
      const SearchConfig config{.symbols_per_frame = symbols};
      const auto found = find_hypotheses(*model, encoded, config, ForwardContext());
      DeviceGreedySearch batched(*model, 5, config, ForwardContext());
      batched.advance(encoded);
      ASSERT_EQ(found.size(), lengths.size());
      size_t labels = 0;
      for (size_t b = 0; b < lengths.size(); ++b) {
        SCOPED_TRACE(b);
        const at::Tensor frames = encoded.frames[static_cast<int64_t>(b)].slice(0, 0, lengths[b]);
        const Hypothesis expected = search_by_hand(*model, frames, symbols);
        expect_equal(found[b], expected);
        expect_equal(batched.hypotheses()[b], expected);
        labels += found[b].tokens.size();
      }
      EXPECT_GT(labels, 5U);
      EXPECT_LT(labels, 30U * static_cast<size_t>(symbols));  // some blanks, too
    }
  }
}

// The tensors are on the CPU: the steps are the same on a GPU.
TEST(DeviceGreedySearch, FindsWhatTheOtherSearchFinds) {
  const at::NoGradGuard no_grad;
  for (const std::string kind : {"causal", "lstm"})
    for (const int64_t symbols : {1, 2, 20}) {
      SCOPED_TRACE(fmt::format("{}, {} symbols a frame", kind, symbols));
      const auto model = search_model(kind);
      const SearchConfig config{.symbols_per_frame = symbols};
      const auto expected = make_search(*model, 5, config, ForwardContext());
      DeviceGreedySearch found(*model, 5, config, ForwardContext());
      // In pieces, one of which has no valid frame.
      for (const std::vector<int64_t>& lengths :
           std::vector<std::vector<int64_t>>{{9, 1, 0, 14, 6}, {0, 0, 0, 0, 0}, {3, 5, 2, 1, 4}}) {
        const EncoderOutput encoded = {at::randn({5, 14, model->encoder().output_axis().size()}),
                                       at::tensor(lengths)};
        expected->advance(encoded);
        found.advance(encoded);
      }
      for (size_t b = 0; b < 5; ++b) expect_equal(found.hypotheses()[b], expected->hypotheses()[b]);
    }
}

TEST(GreedySearch, PiecesFindWhatTheWholeFinds) {
  const at::NoGradGuard no_grad;
  const auto model = search_model("lstm");
  const EncoderOutput encoded = random_frames(*model, {12, 8});
  const auto whole = find_hypotheses(*model, encoded, {}, ForwardContext());
  DeviceGreedySearch batched(*model, 2, {}, ForwardContext());
  const auto search = make_search(*model, 2, {}, ForwardContext());
  for (const auto& [first, last] : {std::pair{0, 5}, {5, 6}, {6, 12}}) {
    const EncoderOutput piece{encoded.frames.slice(1, first, last),
                              (encoded.lengths - first).clamp(0, last - first)};
    search->advance(piece);
    batched.advance(piece);
  }
  for (size_t b = 0; b < 2; ++b) {
    expect_equal(search->hypotheses()[b], whole[b]);
    expect_equal(batched.hypotheses()[b], whole[b]);
  }
}

TEST(GreedySearch, NothingToSearchGivesEmptyHypotheses) {
  const auto model = search_model("causal");
  const int64_t width = model->encoder().output_axis().size();
  const EncoderOutput short_ones{at::zeros({2, 0, width}), at::zeros({2}, at::kLong)};
  for (const int64_t beam : {1, 4})
    for (const Hypothesis& one :
         find_hypotheses(*model, short_ones, {.beam = beam}, ForwardContext()))
      expect_equal(one, {});
  const EncoderOutput empty{at::zeros({0, 4, width}), at::zeros({0}, at::kLong)};
  EXPECT_TRUE(find_hypotheses(*model, empty, {}, ForwardContext()).empty());
}

TEST(GreedySearch, SuppressedLabelsAreNotEmittedAndAPenaltyOfBlankGivesMoreLabels) {
  const at::NoGradGuard no_grad;
  const auto model = search_model("causal");
  const EncoderOutput encoded = random_frames(*model, {40});
  const auto tokens = [&](const SearchConfig& config) {
    DeviceGreedySearch batched(*model, 1, config, ForwardContext());
    batched.advance(encoded);
    const Hypothesis found = find_hypotheses(*model, encoded, config, ForwardContext()).front();
    expect_equal(batched.hypotheses().front(), found);
    return found.tokens;
  };
  const std::vector<int64_t> plain = tokens({});
  ASSERT_FALSE(plain.empty());
  const int64_t label = plain.front();
  const std::vector<int64_t> without = tokens({.suppressed = {label}});
  EXPECT_EQ(std::count(without.begin(), without.end(), label), 0);
  for (const int64_t beam : {1, 4})
    for (const Hypothesis& one :
         find_hypotheses(*model, encoded, {.beam = beam, .suppressed = {label}}, ForwardContext()))
      EXPECT_EQ(std::count(one.tokens.begin(), one.tokens.end(), label), 0);
  EXPECT_GT(tokens({.blank_penalty = 2}).size(), plain.size());
  EXPECT_EQ(tokens({.temperature = 3}), plain);  // the order of the labels is the same
}

}  // namespace
}  // namespace scion
