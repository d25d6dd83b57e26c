#include "scion/search/modified_beam_search.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "scion/core/files/safetensors.h"
#include "tests/search/search_cases.h"

namespace scion {
namespace {

using testing::expect_equal;
using testing::random_frames;
using testing::search_model;

std::vector<Hypothesis> n_best(const Transducer& model, const EncoderOutput& encoded, int64_t beam,
                               int64_t pieces = 1) {
  const auto search = make_search(model, 1, {.beam = beam}, ForwardContext());
  const int64_t frames = encoded.frames.size(1), step = (frames + pieces - 1) / pieces;
  for (int64_t begin = 0; begin < frames; begin += step) {
    const at::Tensor piece = encoded.frames.slice(1, begin, std::min(begin + step, frames));
    search->advance({piece, at::tensor({piece.size(1)})});
  }
  return search->n_best(0);
}

// log P of every token sequence, over all paths with at most one label in a frame.
std::map<std::vector<int64_t>, double> all_sequences(const Transducer& model,
                                                     const at::Tensor& frames) {
  const at::Tensor encoded = model.joiner().project_encoder(frames, ForwardContext());
  std::map<std::vector<int64_t>, double> sequences = {{{}, 0}};
  for (int64_t t = 0; t < frames.size(0); ++t) {
    std::map<std::vector<int64_t>, double> next;
    for (const auto& [tokens, score] : sequences) {
      const at::Tensor scores = testing::label_scores_by_hand(model, encoded[t], tokens);
      for (int64_t label = 0; label < model.vocabulary(); ++label) {
        std::vector<int64_t> longer = tokens;
        if (label != blank) longer.push_back(label);
        const double found = score + scores[label].item<double>();
        const auto [place, is_new] = next.emplace(longer, found);
        if (!is_new) place->second = std::log(std::exp(place->second) + std::exp(found));
      }
    }
    sequences = std::move(next);
  }
  return sequences;
}

TEST(ModifiedBeamSearch, ABeamThatHoldsEverythingFindsTheProbabilityOfEverySequence) {
  const at::NoGradGuard no_grad;
  for (const std::string kind : {"causal", "lstm", "rectifier"}) {
    SCOPED_TRACE(kind);
    const auto model = search_model(kind);
    const EncoderOutput encoded = random_frames(*model, {3});
    const auto expected = all_sequences(*model, encoded.frames[0]);
    const std::vector<Hypothesis> found = n_best(*model, encoded, 1000);
    ASSERT_EQ(found.size(), expected.size());
    for (const Hypothesis& one : found)
      EXPECT_NEAR(one.log_probability, expected.at(one.tokens), 1e-4);
  }
}

TEST(ModifiedBeamSearch, PiecesAndBatchesFindWhatTheWholeFindsAlone) {
  const at::NoGradGuard no_grad;
  for (const std::string kind : {"causal", "lstm"}) {
    SCOPED_TRACE(kind);
    const auto model = search_model(kind);
    const EncoderOutput encoded = random_frames(*model, {30, 17, 0, 8});
    const auto batch = find_hypotheses(*model, encoded, {.beam = 4}, ForwardContext());
    for (const int64_t b : {0, 1, 3}) {
      const int64_t length = encoded.lengths[b].item<int64_t>();
      const EncoderOutput one{encoded.frames.slice(0, b, b + 1).slice(1, 0, length),
                              at::tensor({length})};
      const auto whole = n_best(*model, one, 4), pieces = n_best(*model, one, 4, 5);
      ASSERT_EQ(whole.size(), 4U);
      ASSERT_EQ(pieces.size(), 4U);
      expect_equal(batch[static_cast<size_t>(b)], whole.front());
      for (size_t i = 0; i < 4; ++i) expect_equal(pieces[i], whole[i]);
    }
  }
}

TEST(ModifiedBeamSearch, ALongSearchEndsWithoutDeepCalls) {
  const at::NoGradGuard no_grad;
  const auto model = search_model("causal");
  model->registry().find("joiner.output.bias")->tensor[blank] -= 100;  // a label in every frame
  const EncoderOutput encoded = random_frames(*model, {300000});
  EXPECT_EQ(n_best(*model, encoded, 2).front().tokens.size(), 300000U);
}

// ---- icefall ------------------------------------------------------------------------------------

// icefall's predictor: a grouped convolution over two embeddings, zero for a negative label.
class IcefallHistories : public LabelHistories {
 public:
  IcefallHistories(const SafeTensors& tensors, std::string model)
      : tensors_(tensors), model_(std::move(model)) {}

  LabelHistoryPtr start() override { return of_context({-1, blank}); }
  LabelHistoryPtr next(const LabelHistory& before, int64_t label) override {
    return of_context({before.context.back(), label});
  }
  int64_t context_labels() const override { return 2; }

  const at::Tensor& weight(const std::string& name) const { return tensors_.at(model_ + name); }

 private:
  LabelHistoryPtr of_context(std::vector<int64_t> context) const {
    const at::Tensor labels = at::tensor(context);
    const at::Tensor embedded =
        at::embedding(weight(".decoder.embedding.weight"), labels.clamp_min(0)) *
        (labels >= 0).unsqueeze(1);
    const at::Tensor& kernel = weight(".decoder.conv.weight");
    const int64_t groups = embedded.size(1) / kernel.size(1);
    const std::vector<int64_t> one = {1}, none = {0};
    const at::Tensor mixed =
        at::conv1d(embedded.t().unsqueeze(0), kernel, {}, one, none, one, groups).squeeze(2);
    const at::Tensor projected = at::linear(at::relu(mixed), weight(".joiner.decoder_proj.weight"),
                                            weight(".joiner.decoder_proj.bias"))
                                     .contiguous();
    auto history = std::make_shared<LabelHistory>();
    history->projected.assign(projected.const_data_ptr<float>(),
                              projected.const_data_ptr<float>() + projected.numel());
    history->context = std::move(context);
    return history;
  }

  const SafeTensors& tensors_;
  std::string model_;
};

struct IcefallGolden {
  SafeTensors tensors =
      read_safetensors(SCION_SOURCE_DIR "/tests/golden/search/icefall.safetensors");
  nlohmann::json rows =
      nlohmann::json::parse(std::ifstream(SCION_SOURCE_DIR "/tests/golden/search/icefall.json"));
};

std::vector<Hypothesis> search_golden(const IcefallGolden& golden, const std::string& model,
                                      const SearchConfig& config, int64_t utterance) {
  auto histories = std::make_unique<IcefallHistories>(golden.tensors, model);
  const auto weight = [&](const std::string& name) {
    return golden.tensors.at(model + ".joiner." + name);
  };
  const LabelScores scores(
      search_output({weight("output_linear.weight"), weight("output_linear.bias")}, config),
      JoinerActivation::tanh);
  const int64_t length = golden.tensors.at(model + ".encoder_out_lens")[utterance].item<int64_t>();
  const at::Tensor frames =
      at::linear(golden.tensors.at(model + ".encoder_out")[utterance].slice(0, 0, length),
                 weight("encoder_proj.weight"), weight("encoder_proj.bias"))
          .contiguous();
  const auto search = make_utterance_search(scores, std::move(histories), config);
  search->advance(frames.const_data_ptr<float>(), length, 0);
  return search->hypotheses();
}

// The hypotheses that are left, in icefall's list and ours.
void expect_final_beam(const std::vector<Hypothesis>& found, const nlohmann::json& expected) {
  EXPECT_NEAR(found.front().log_probability, expected["best_log_prob"].get<double>(), 1e-3);
  ASSERT_EQ(found.size(), expected["num_hyps"].get<size_t>());
  for (const nlohmann::json& one : expected["all"]) {
    const auto same = std::find_if(found.begin(), found.end(), [&](const Hypothesis& other) {
      return other.tokens == one["tokens"].get<std::vector<int64_t>>();
    });
    ASSERT_NE(same, found.end()) << one.dump();
    EXPECT_NEAR(same->log_probability, one["log_prob"].get<double>(), 1e-3);
  }
}

TEST(ModifiedBeamSearch, FindsWhatIcefallFindsGreedySearchAlike) {
  const IcefallGolden golden;
  int rows = 0;
  for (const std::string model : {"noncausal", "causal"}) {
    for (const nlohmann::json& row : golden.rows[model]) {
      const SearchConfig config{.symbols_per_frame = row.value("max_sym_per_frame", 1),
                                .beam = row.value("beam", 1),
                                .blank_penalty = row.value("blank_penalty", 0.0),
                                .temperature = row.value("temperature", 1.0)};
      SCOPED_TRACE(model + ": " + row["method"].get<std::string>() + " " +
                   std::to_string(config.beam));
      for (const int64_t b : {0, 1}) {
        const auto found = search_golden(golden, model, config, b);
        const auto place = static_cast<size_t>(b);
        EXPECT_EQ(found.front().tokens, row["hyps"][place].get<std::vector<int64_t>>());
        EXPECT_EQ(found.front().frames, row["timestamps"][place].get<std::vector<int64_t>>());
        if (config.beam > 1) expect_final_beam(found, row["final_beam"][place]);
        ++rows;
      }
    }
  }
  EXPECT_EQ(rows, 44);
}

}  // namespace
}  // namespace scion
