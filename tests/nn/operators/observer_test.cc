#include "scion/nn/operators/observer.h"

#include <gtest/gtest.h>

#include <set>

#include "scion/nn/operators/functional.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

using scion::testing::randomise;
using scion::testing::small_config;
using scion::testing::small_config_of_kind;

// Records what is shown, by the names of the tensors.
class Record : public InputObserver {
 public:
  explicit Record(const Registry& registry) {
    for (const Parameter& parameter : registry.all())
      names_[parameter.tensor.unsafeGetTensorImpl()] = parameter.name;
  }
  void linear(const LinearMap& map, const at::Tensor& x) override {
    for (const at::Tensor& weight : map.weights)
      shown.insert(names_.at(weight.unsafeGetTensorImpl()));
    const std::string name = names_.at(map.weights[0].unsafeGetTensorImpl());
    maps.insert_or_assign(name, map);
    outputs.insert_or_assign(name, apply(map, x));
  }
  void batch_norm(const at::Tensor& running_mean, const at::Tensor&, const at::Tensor& x) override {
    normalised.insert_or_assign(names_.at(running_mean.unsafeGetTensorImpl()), x);
  }

  std::set<std::string> shown;
  std::map<std::string, LinearMap> maps;
  std::map<std::string, at::Tensor> outputs, normalised;

 private:
  static at::Tensor apply(const LinearMap& map, const at::Tensor& x) {
    std::vector<at::Tensor> parts;
    for (const at::Tensor& weight : map.weights) parts.push_back(weight.view({weight.size(0), -1}));
    const at::Tensor weight = at::cat(parts, 1);
    const at::Tensor y = map.depthwise ? (x * weight).sum(-1) : at::linear(x, weight);
    return map.bias.defined() ? y + map.bias : y;
  }
  std::map<const void*, std::string> names_;
};

struct Pass {
  at::Tensor frames, predicted, ctc;
  std::map<std::string, at::Tensor> stages;
};

Pass pass(const Transducer& model, InputObserver* observer) {
  ForwardContext context;
  context.inputs = observer;
  Pass result;
  context.observe = [&](const std::string& place, const at::Tensor& output) {
    result.stages.insert_or_assign(place, output);
  };
  at::manual_seed(3);
  const at::Tensor features = at::randn({2, 61, 20});
  const EncoderOutput encoded =
      model.encode(features, at::tensor(std::vector<int64_t>{61, 48}), context);
  result.frames = encoded.frames;
  result.predicted = model.predictor().forward(
      at::tensor(std::vector<int64_t>{1, 5, 3, 2, 2, 0}).view({2, 3}), context);
  model.joiner().project_encoder(encoded.frames, context);
  model.joiner().project_predictor(result.predicted, context);
  result.ctc = model.ctc_logits(encoded.frames, context);
  if (model.config().simple_joiner) model.simple_logits(encoded.frames, result.predicted, context);
  return result;
}

class EveryKindShown : public ::testing::TestWithParam<std::pair<std::string, std::string>> {
 protected:
  EveryKindShown()
      : model_(GetParam().first == "kind" ? small_config_of_kind(GetParam().second)
                                          : small_config(GetParam().first, GetParam().second),
               7),
        record_(model_.registry()) {
    randomise(model_, 1);
    pass_ = pass(model_, &record_);
  }
  at::NoGradGuard no_grad_;
  Transducer model_;
  Record record_;
  Pass pass_;
};

TEST_P(EveryKindShown, EveryWeightIsShown) {
  for (const Parameter& parameter : model_.registry().all()) {
    // The joiner's output map has inputs only once nodes of the lattice are chosen.
    if (parameter.init.kind != Init::Kind::weight || parameter.name == "joiner.output.weight")
      continue;
    EXPECT_TRUE(record_.shown.contains(parameter.name)) << parameter.name;
  }
  for (const Parameter& parameter : model_.registry().all())
    if (parameter.name.ends_with("running_mean")) {
      EXPECT_TRUE(record_.normalised.contains(parameter.name)) << parameter.name;
    }
}

void expect_equal(const at::Tensor& a, const at::Tensor& b, const std::string& what) {
  ASSERT_EQ(a.sizes(), b.sizes()) << what;
  EXPECT_LT((a - b).abs().max().item<float>(), 1e-4 * (1 + b.abs().max().item<float>())) << what;
}

// Frames past an utterance's end are undefined in some of the layers.
at::Tensor valid(const at::Tensor& x) { return x[0]; }

TEST_P(EveryKindShown, WhatIsShownGivesWhatTheLayersGoOnWith) {
  size_t branches = 0;
  for (const auto& [name, map] : record_.maps) {
    const std::string place = name.substr(0, name.rfind('.', name.rfind('.') - 1));
    const at::Tensor& y = record_.outputs.at(name);
    if (map.residual.defined()) {
      expect_equal(valid(map.residual + map.scale * y), valid(pass_.stages.at(place)), name);
      ++branches;
    }
    if (name.ends_with("depthwise.weight") && !record_.normalised.empty()) {
      expect_equal(valid(y), valid(record_.normalised.at(place + ".convolution_norm.running_mean")),
                   name);
    }
  }
  EXPECT_EQ(branches, model_.config().encoder == EncoderKind::lstm ? 2U : 8U);
  expect_equal(valid(record_.outputs.at("encoder.subsampling.projection.weight")),
               valid(pass_.stages.at("encoder.subsampling")), "subsampling");
  expect_equal(record_.outputs.at("ctc.weight"), pass_.ctc, "ctc");
  const std::string norm = model_.config().encoder == EncoderKind::lstm
                               ? "encoder.norm.weight"
                               : "encoder.layers.1.norm.weight";
  expect_equal(valid(record_.outputs.at(norm)), valid(pass_.frames), norm);
  if (model_.config().predictor == PredictorKind::stateless) {
    expect_equal(at::relu(record_.outputs.at("predictor.convolution.weight")), pass_.predicted,
                 "predictor");
  }
}

TEST_P(EveryKindShown, AnObserverChangesNothing) {
  const Pass unseen = pass(model_, nullptr);
  EXPECT_TRUE(at::equal(valid(unseen.frames), valid(pass_.frames)));
  EXPECT_TRUE(at::equal(unseen.predicted, pass_.predicted));
}

// Computes an LSTM by hand from the observed inputs (gates (B, T, 4H)): its output must be the
// layer's.
TEST(Observer, AnLstmIsShownItsInputsWithWhatItRemembers) {
  const at::NoGradGuard no_grad;
  Transducer model(small_config_of_kind("lstm"), 7);
  randomise(model, 2);
  Record record(model.registry());
  pass(model, &record);
  const at::Tensor gates = record.outputs.at("encoder.layers.0.lstm.input.weight");
  const std::vector<at::Tensor> parts = gates.chunk(4, 2);
  at::Tensor cell = at::zeros_like(parts[0].select(1, 0));
  std::vector<at::Tensor> hidden;
  for (int64_t t = 0; t < gates.size(1); ++t) {
    const auto at_t = [&](size_t gate) { return parts[gate].select(1, t); };
    cell = at::sigmoid(at_t(1)) * cell + at::sigmoid(at_t(0)) * at::tanh(at_t(2));
    hidden.push_back(at::sigmoid(at_t(3)) * at::tanh(cell));
  }
  const LinearMap& projection = record.maps.at("encoder.layers.0.projection.weight");
  expect_equal(at::linear(at::stack(hidden, 1), projection.weights[0], projection.bias),
               record.outputs.at("encoder.layers.0.projection.weight"), "LSTM");
}

INSTANTIATE_TEST_SUITE_P(
    Models, EveryKindShown,
    ::testing::Values(std::pair{"bias", "batch"}, std::pair{"bias", "layer"},
                      std::pair{"sinusoid", "batch"}, std::pair{"kind", "causal"},
                      std::pair{"kind", "chunked"}, std::pair{"kind", "fast"},
                      std::pair{"kind", "fast_causal"}, std::pair{"kind", "lstm"}),
    [](const auto& info) { return info.param.first + "_" + info.param.second; });

}  // namespace
}  // namespace scion
