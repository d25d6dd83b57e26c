#include "scion/search/tdt_search.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scion/core/files/file.h"
#include "scion/core/random.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

constexpr int64_t tdt_vocabulary = 7;

// A model that emits about as many labels as blanks.
std::unique_ptr<Transducer> random_tdt(const std::string& kind,
                                       const std::vector<int64_t>& durations) {
  ModelConfig config = testing::small_config_of_kind(kind);
  config.durations = durations;
  auto model = std::make_unique<Transducer>(config, tdt_vocabulary);
  testing::randomise(*model, 11);
  const at::NoGradGuard no_grad;
  model->registry().find("joiner.output.bias")->tensor[blank] += 1;
  return model;
}

EncoderOutput random_tdt_frames(const Transducer& model, const std::vector<int64_t>& lengths) {
  at::manual_seed(5);
  const int64_t width = model.encoder().output_axis().size();
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  return {at::randn({static_cast<int64_t>(lengths.size()), longest, width}) * 2,
          at::tensor(lengths)};
}

// One utterance (T, width), step by step, with a predictor that is run over all labels every time.
Hypothesis search_tdt_by_hand(const Transducer& model, const at::Tensor& frames,
                              const SearchConfig& config) {
  const ForwardContext context;
  const at::Tensor encoded = model.joiner().project_encoder(frames, context);
  Hypothesis found;
  int64_t in_frame = 0;
  for (int64_t t = 0; t < frames.size(0);) {
    const at::Tensor tokens = at::tensor(found.tokens, at::kLong).unsqueeze(0);
    const at::Tensor predicted = model.joiner().project_predictor(
        model.predictor().forward(tokens, context)[0][-1], context);
    const auto [scores, durations] =
        model.joiner().token_and_duration_logits(encoded[t], predicted);
    const int64_t best = scores.argmax(0).item<int64_t>();
    const int64_t duration =
        model.config().durations[static_cast<size_t>(durations.argmax(0).item<int64_t>())];
    found.log_probability += scores.log_softmax(0)[best].item<double>();
    if (best != blank) {
      found.tokens.push_back(best);
      found.frames.push_back(t);
      found.durations.push_back(duration);
    }
    const bool steps = config.frame_limit == FrameLimit::steps;
    if (steps || (best != blank && duration == 0)) ++in_frame;
    int64_t forward = duration;
    if (in_frame == config.symbols_per_frame && (steps || duration == 0)) ++forward;
    if (!steps && best == blank) forward = std::max<int64_t>(1, forward);
    t += forward;
    if (forward > 0) in_frame = 0;
  }
  return found;
}

void expect_equal_tdt(const Hypothesis& found, const Hypothesis& expected) {
  EXPECT_EQ(found.tokens, expected.tokens);
  EXPECT_EQ(found.frames, expected.frames);
  EXPECT_EQ(found.durations, expected.durations);
  EXPECT_NEAR(found.log_probability, expected.log_probability,
              1e-4 * (1 + std::abs(expected.log_probability)));
}

// NeMo's decoders call the joiner at these frames; each call's result leads to the next.
TEST(TdtPosition, VisitsTheFramesThatNemoVisits) {
  const nlohmann::json golden =
      nlohmann::json::parse(read_file(SCION_SOURCE_DIR "/tests/golden/tdt_search/nemo.json"));
  const auto blank_id = golden.at("blank").get<int64_t>();
  for (const auto& [name, utterances] : golden.at("trace").items()) {
    const FrameLimit limit =
        name.starts_with("greedy_batch") ? FrameLimit::labels : FrameLimit::steps;
    const int64_t most = std::stoll(name.substr(name.find("symbols") + 7));
    for (size_t b = 0; b < utterances.size(); ++b) {
      TdtPosition position(limit, most);
      std::vector<int64_t> tokens, frames;
      for (const auto& call : utterances[b]) {
        EXPECT_EQ(position.frame(), call[0].get<int64_t>()) << name << " " << b;
        const auto token = call[1].get<int64_t>();
        if (token != blank_id) {
          tokens.push_back(token);
          frames.push_back(position.frame());
        }
        position.step(token != blank_id, call[2].get<int64_t>());
      }
      const auto& expected = golden.at("greedy").at(name)[b];
      EXPECT_EQ(tokens, expected.at("tokens").get<std::vector<int64_t>>()) << name << " " << b;
      EXPECT_EQ(frames, expected.at("frames").get<std::vector<int64_t>>()) << name << " " << b;
    }
  }
}

class TdtSearchOf : public ::testing::TestWithParam<std::tuple<FrameLimit, int64_t>> {
 protected:
  static SearchConfig config() {
    return {.symbols_per_frame = std::get<1>(GetParam()), .frame_limit = std::get<0>(GetParam())};
  }
};
INSTANTIATE_TEST_SUITE_P(All, TdtSearchOf,
                         ::testing::Combine(::testing::Values(FrameLimit::labels,
                                                              FrameLimit::steps),
                                            ::testing::Values(1, 2, 3, 10)),
                         [](const auto& info) {
                           return word_of(std::get<0>(info.param)) +
                                  std::to_string(std::get<1>(info.param));
                         });

TEST_P(TdtSearchOf, FindsWhatStepsByHandFind) {
  const at::NoGradGuard no_grad;
  for (const std::string kind : {"causal", "lstm"}) {  // a stateless and an LSTM predictor
    SCOPED_TRACE(kind);
    const auto model = random_tdt(kind, {0, 2, 1, 4});
    const std::vector<int64_t> lengths = {19, 1, 0, 24, 6};
    const EncoderOutput encoded = random_tdt_frames(*model, lengths);
    const auto found = find_hypotheses(*model, encoded, config(), ForwardContext());
    ASSERT_EQ(found.size(), lengths.size());
    size_t labels = 0;
    for (size_t b = 0; b < lengths.size(); ++b) {
      SCOPED_TRACE(b);
      const at::Tensor frames = encoded.frames[static_cast<int64_t>(b)].slice(0, 0, lengths[b]);
      expect_equal_tdt(found[b], search_tdt_by_hand(*model, frames, config()));
      labels += found[b].tokens.size();
    }
    EXPECT_GT(labels, 5U);
  }
}

// Durations reach across pieces, even across whole ones.
TEST_P(TdtSearchOf, PiecesFindWhatTheWholeFinds) {
  const at::NoGradGuard no_grad;
  for (const std::vector<int64_t>& durations :
       {std::vector<int64_t>{0, 1, 2, 3, 4}, {0, 7}, {5, 1}}) {
    const auto model = random_tdt("lstm", durations);
    const EncoderOutput encoded = random_tdt_frames(*model, {32, 23});
    const auto whole = find_hypotheses(*model, encoded, config(), ForwardContext());
    EXPECT_GT(whole[0].tokens.size(), 2U);
    for (uint64_t trial = 0; trial < 10; ++trial) {
      Random random(1, RandomStream::split, trial);
      const auto search = make_search(*model, 2, config(), ForwardContext());
      for (int64_t first = 0, last = 0; first < 32; first = last) {
        last = std::min<int64_t>(32, first + 1 + random.below(6));
        search->advance({encoded.frames.slice(1, first, last),
                         (encoded.lengths - first).clamp(0, last - first)});
      }
      for (size_t b = 0; b < 2; ++b) expect_equal_tdt(search->hypotheses()[b], whole[b]);
    }
  }
}

TEST(TdtSearch, NothingToSearchGivesEmptyHypotheses) {
  const auto model = random_tdt("causal", {0, 1, 2});
  const int64_t width = model->encoder().output_axis().size();
  const EncoderOutput short_ones{at::zeros({2, 0, width}), at::zeros({2}, at::kLong)};
  for (const Hypothesis& one : find_hypotheses(*model, short_ones, {}, ForwardContext()))
    expect_equal_tdt(one, {});
  const EncoderOutput empty{at::zeros({0, 4, width}), at::zeros({0}, at::kLong)};
  EXPECT_TRUE(find_hypotheses(*model, empty, {}, ForwardContext()).empty());
}

}  // namespace
}  // namespace scion
