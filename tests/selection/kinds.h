// Teachers and students of every kind, and their outputs for an utterance.
#pragma once

#include <set>

#include "scion/selection/student.h"
#include "tests/model/small_models.h"

namespace scion::testing {

/// A teacher for a student: larger in every size that may differ.
inline ModelConfig enlarged(ModelConfig config) {
  config.conformer.width = 24;
  config.conformer.layers = 5;
  config.conformer.heads = 3;
  config.conformer.head_width = 10;
  config.conformer.feed_forward = 40;
  config.conformer.kernel = 9;
  config.conformer.subsampling_channels = 5;
  config.conformer.position_range = 6;
  config.lstm.width = 24;
  config.lstm.layers = 4;
  config.lstm.hidden = 18;
  config.lstm.subsampling_channels = 5;
  config.predictor_width = 14;
  config.joiner_width = 18;
  return config;
}

/// Between the two.
inline ModelConfig middle_of(ModelConfig student) {
  student.conformer.width = 20;
  student.conformer.layers = 3;
  student.conformer.feed_forward = 32;
  student.conformer.heads = 2;
  student.conformer.head_width = 8;
  student.conformer.kernel = 7;
  student.conformer.position_range = 5;
  student.lstm.width = 20;
  student.lstm.layers = 3;
  student.lstm.hidden = 15;
  student.predictor_width = 12;
  return student;
}

/// CTC, joiner and simple joiner logits of one utterance.
inline std::vector<at::Tensor> logits_of_one_utterance(const Transducer& model) {
  const at::NoGradGuard no_grad;
  at::manual_seed(11);
  const ForwardContext context;
  const EncoderOutput encoded =
      model.encode(at::randn({1, 47, 20}), at::tensor(std::vector<int64_t>{47}), context);
  const at::Tensor tokens = at::tensor(std::vector<int64_t>{1, 5, 3}).view({1, 3});
  const at::Tensor predicted = model.predictor().forward(tokens, context);
  std::vector<at::Tensor> logits = {
      model.ctc_logits(encoded.frames, context),
      model.joiner().logits(model.joiner().project_encoder(encoded.frames, context).unsqueeze(2),
                            model.joiner().project_predictor(predicted, context).unsqueeze(1))};
  if (model.config().simple_joiner) {
    const auto [frames, labels] = model.simple_logits(encoded.frames, predicted, context);
    logits.insert(logits.end(), {frames, labels});
  }
  if (!model.config().durations.empty())
    logits.push_back(model.joiner()
                         .token_and_duration_logits(
                             model.joiner().project_encoder(encoded.frames, context).unsqueeze(2),
                             model.joiner().project_predictor(predicted, context).unsqueeze(1))
                         .second);
  return logits;
}

inline void expect_same_logits(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_LT((a[i] - b[i]).abs().max().item<float>(), 2e-5 * (1 + a[i].abs().max().item<float>()));
}

/// Full names of all leaves, without taps and vocabulary.
inline std::set<std::string> leaf_names(const Registry& registry) {
  std::set<std::string> names;
  for (const Parameter& parameter : registry.all())
    for (const Axis& axis : parameter.axes)
      axis.visit_leaves([&](const Axis& leaf) { names.insert(leaf.name()); });
  return names;
}

/// A kind of model: positions and normalisation, or "kind" and a name for small_config_of_kind().
using Kind = std::pair<std::string, std::string>;

class EveryKind : public ::testing::TestWithParam<Kind> {
 protected:
  ModelConfig teacher_config() const { return enlarged(student_config()); }
  ModelConfig student_config() const {
    const auto& [positions, norm] = GetParam();
    if (positions == "kind") return small_config_of_kind(norm);
    return small_config(positions, norm);
  }
};

inline const std::vector<Kind> every_kind = {
    {"bias", "batch"}, {"bias", "layer"},    {"sinusoid", "batch"},       {"kind", "causal"},
    {"kind", "fast"},  {"kind", "chunked"},  {"kind", "fast_causal"},     {"kind", "lstm"},
    {"kind", "tdt"},   {"kind", "striding"}, {"kind", "depthwise_causal"}};

inline std::string kind_name(const ::testing::TestParamInfo<Kind>& info) {
  return info.param.first + "_" + info.param.second;
}

/// Scores for every element of every leaf, in no order.
inline LeafScores made_up_scores(const Registry& teacher, Grain grain = Grain::leaf) {
  LeafScores scores;
  for (const Parameter& parameter : teacher.all())
    for (const Axis& axis : plan_axes(parameter, grain))
      axis.visit_leaves([&](const Axis& leaf) {
        std::vector<double>& values = scores[leaf.name()];
        values.clear();
        for (int64_t i = 0; i < leaf.size(); ++i)
          values.push_back(static_cast<double>((i * 7 + 3) % 31));
      });
  return scores;
}

}  // namespace scion::testing
