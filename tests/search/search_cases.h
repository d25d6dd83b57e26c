// Random models and frames for tests of searches.
#pragma once

#include <gtest/gtest.h>

#include "scion/search/search.h"
#include "tests/model/small_models.h"

namespace scion::testing {

/// A model that emits about as many labels as blanks; kinds as small_config_of_kind() has them (a
/// stateless predictor in "causal", an LSTM in "lstm"), and "rectifier", which its joiner has.
inline std::unique_ptr<Transducer> search_model(const std::string& kind) {
  ModelConfig config = small_config_of_kind(kind == "rectifier" ? "causal" : kind);
  if (kind == "rectifier") config.joiner_activation = JoinerActivation::relu;
  auto model = std::make_unique<Transducer>(config, 7);
  randomise(*model, 11);
  const at::NoGradGuard no_grad;
  model->registry().find("joiner.output.bias")->tensor[blank] += 1;
  return model;
}

inline EncoderOutput random_frames(const Transducer& model, const std::vector<int64_t>& lengths) {
  at::manual_seed(5);
  const int64_t width = model.encoder().output_axis().size();
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  return {at::randn({static_cast<int64_t>(lengths.size()), longest, width}), at::tensor(lengths)};
}

/// log P(blank or label) (V) of one projected encoder frame after `tokens`, by the predictor's
/// pass over all of them.
inline at::Tensor label_scores_by_hand(const Transducer& model, const at::Tensor& frame,
                                       const std::vector<int64_t>& tokens) {
  const ForwardContext context;
  const at::Tensor labels = at::tensor(tokens, at::kLong).unsqueeze(0);
  const at::Tensor predicted = model.predictor().forward(labels, context)[0][-1];
  return model.joiner()
      .logits(frame, model.joiner().project_predictor(predicted, context))
      .log_softmax(0);
}

inline void expect_equal(const Hypothesis& found, const Hypothesis& expected) {
  EXPECT_EQ(found.tokens, expected.tokens);
  EXPECT_EQ(found.frames, expected.frames);
  EXPECT_NEAR(found.log_probability, expected.log_probability,
              1e-4 * (1 + std::abs(expected.log_probability)));
}

}  // namespace scion::testing
