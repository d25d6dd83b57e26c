#include "scion/calibration/calibrator.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "scion/core/error.h"
#include "scion/core/threads.h"
#include "scion/nn/initialise.h"
#include "scion/nn/operators/observer.h"
#include "scion/selection/student.h"
#include "tests/core/error_of.h"
#include "tests/data/small_corpus.h"
#include "tests/model/small_models.h"
#include "tests/selection/doubled_model.h"

namespace scion {
namespace {

using scion::testing::double_elements;
using scion::testing::doubled;
using scion::testing::randomise;
using scion::testing::small_config;
using scion::testing::small_config_of_kind;

// Twelve utterances of made-up speech, read once for all tests.
const Dataset& speech() {
  static const SmallCorpus corpus(12);
  static const FeatureConfig features = small_config().features;
  static const Dataset data({corpus.manifest()}, features, small_tokenizer(), "", {1.0});
  return data;
}

CalibrationAudio audio_for(const Transducer& teacher) {
  return read_calibration_audio(speech(), teacher, 600);
}

int64_t vocabulary() { return small_tokenizer().size(); }

struct TeacherAndStudent {
  std::unique_ptr<Transducer> teacher;
  Selection selection;
  Transducer& student() const { return *selection.student; }
};

// A teacher of the doubled configuration with random values.
TeacherAndStudent random_pair(const ModelConfig& config) {
  TeacherAndStudent pair;
  pair.teacher = std::make_unique<Transducer>(doubled(config), vocabulary());
  initialise(pair.teacher->registry(), "xavier", 4);
  pair.selection = select_student(*pair.teacher, config, named_rules("paper"), "xavier", 1);
  return pair;
}

// A teacher that is the small model with every element doubled.
TeacherAndStudent doubled_pair(const ModelConfig& config) {
  Transducer small(config, vocabulary());
  initialise(small.registry(), "default", 5);
  TeacherAndStudent pair;
  pair.teacher = std::make_unique<Transducer>(doubled(config), vocabulary());
  double_elements(small, *pair.teacher);
  pair.selection = select_student(*pair.teacher, config, named_rules("paper"), "xavier", 1);
  return pair;
}

CalibrationSummary calibrate_pair(const TeacherAndStudent& pair, const CalibrationConfig& config) {
  return calibrate(*pair.teacher, pair.student(), pair.selection.plan, audio_for(*pair.teacher),
                   config);
}

std::map<std::string, at::Tensor> values(const Transducer& model) {
  std::map<std::string, at::Tensor> values;
  for (const Parameter& parameter : model.registry().all())
    values[parameter.name] = parameter.tensor.detach().clone();
  return values;
}

// Encoder frames, CTC logits and joiner projections of one utterance.
std::vector<at::Tensor> outputs(const Transducer& model) {
  const at::NoGradGuard no_grad;
  const ForwardContext context;
  const at::Tensor features = speech().features(3, 1).unsqueeze(0);
  const EncoderOutput encoded =
      model.encode(features, at::tensor(std::vector<int64_t>{features.size(1)}), context);
  const at::Tensor predicted =
      model.predictor().forward(at::tensor(std::vector<int64_t>{1, 5, 3}).view({1, 3}), context);
  const Joiner& joiner = model.joiner();
  return {model.ctc_logits(encoded.frames, context),
          joiner.logits(joiner.project_encoder(encoded.frames, context).unsqueeze(2),
                        joiner.project_predictor(predicted, context).unsqueeze(1))};
}

double difference(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i)
    largest =
        std::max(largest, (a[i] - b[i]).abs().max().item<double>() / b[i].std().item<double>());
  return largest;
}

class EveryKindCalibrated : public ::testing::TestWithParam<std::pair<std::string, std::string>> {
 protected:
  ModelConfig config() const {
    const auto& [positions, norm] = GetParam();
    return positions == "kind" ? small_config_of_kind(norm) : small_config(positions, norm);
  }
};

TEST_P(EveryKindCalibrated, GivesTheTeachersFunctionWhereDroppedElementsAreLinearInTheKeptOnes) {
  const TeacherAndStudent pair = doubled_pair(config());
  const std::vector<at::Tensor> wanted = outputs(*pair.teacher);
  EXPECT_GT(difference(outputs(pair.student()), wanted), 0.3);
  const CalibrationSummary summary = calibrate_pair(pair, {.ridge = 1e-9, .batch_norm = false});
  EXPECT_LT(difference(outputs(pair.student()), wanted), 2e-2);
  for (const LayerErrors& layer : summary.layers) EXPECT_LT(layer.after, 1e-4) << layer.name;
}

TEST_P(EveryKindCalibrated, EqualSizesStayAsTheyAre) {
  Transducer teacher(config(), vocabulary());
  initialise(teacher.registry(), "default", 6);
  const Selection selection = select_student(teacher, config(), named_rules("paper"), "xavier", 1);
  calibrate(teacher, *selection.student, selection.plan, audio_for(teacher), {.batch_norm = false});
  for (const Parameter& parameter : teacher.registry().all()) {
    const at::Tensor& calibrated = selection.student->registry().find(parameter.name)->tensor;
    EXPECT_LT((calibrated - parameter.tensor).abs().max().item<float>(), 1e-6) << parameter.name;
  }
}

TEST_P(EveryKindCalibrated, ComesNearerToTheTeacherOnRealInputs) {
  const TeacherAndStudent pair = random_pair(config());
  const CalibrationSummary summary = calibrate_pair(pair, {.batch_norm = false});
  for (const LayerErrors& layer : summary.layers) {
    EXPECT_TRUE(layer.compensated);
    EXPECT_LE(layer.after, layer.before + 1e-6) << layer.name;
  }
  EXPECT_EQ(summary.utterances, 12);
}

TEST_P(EveryKindCalibrated, IsTheSameForAnyNumberOfThreads) {
  std::vector<std::map<std::string, at::Tensor>> results;
  const int before = thread_count();
  for (const int threads : {1, 2, 3}) {
    set_thread_count(threads);
    const TeacherAndStudent pair = random_pair(config());
    calibrate_pair(pair, {});
    results.push_back(values(pair.student()));
  }
  set_thread_count(before);
  for (const auto& [name, value] : results[0])
    for (size_t i = 1; i < results.size(); ++i)
      EXPECT_TRUE(at::equal(value, results[i].at(name))) << name;
}

INSTANTIATE_TEST_SUITE_P(Models, EveryKindCalibrated,
                         ::testing::Values(std::pair{"bias", "batch"}, std::pair{"bias", "layer"},
                                           std::pair{"sinusoid", "batch"},
                                           std::pair{"kind", "causal"},
                                           std::pair{"kind", "chunked"}, std::pair{"kind", "fast"},
                                           std::pair{"kind", "lstm"}, std::pair{"kind", "tdt"}),
                         [](const auto& info) {
                           return info.param.first + "_" + info.param.second;
                         });

// Inputs of each batch normalisation and outputs of each linear layer, over all utterances.
class Everything : public InputObserver {
 public:
  void linear(const LinearMap& map, const at::Tensor& x) override {
    if (map.depthwise) return;
    outputs[map.weights[0].unsafeGetTensorImpl()].push_back(
        at::linear(x, map.weights[0].flatten(1), map.bias).flatten(0, -2));
  }
  void batch_norm(const at::Tensor& running_mean, const at::Tensor&, const at::Tensor& x) override {
    normalised[running_mean.unsafeGetTensorImpl()].push_back(x.flatten(0, 1));
  }
  std::map<const void*, std::vector<at::Tensor>> outputs, normalised;
};

Everything everything(const Transducer& model) {
  const at::NoGradGuard no_grad;
  Everything seen;
  ForwardContext context;
  context.inputs = &seen;
  for (size_t i = 0; i < speech().size(); ++i) {
    const at::Tensor features = speech().features(i, 1).unsqueeze(0);
    model.ctc_logits(
        model.encode(features, at::tensor(std::vector<int64_t>{features.size(1)}), context).frames,
        context);
  }
  return seen;
}

TEST(Calibration, BatchNormsHaveTheStatisticsOfTheAudio) {
  for (const Compensation compensate : {Compensation::none, Compensation::least_squares}) {
    const TeacherAndStudent pair = random_pair(small_config());
    const CalibrationSummary summary = calibrate_pair(pair, {.compensate = compensate});
    EXPECT_EQ(summary.batch_norms, 2);
    Everything seen = everything(pair.student());
    for (int64_t layer = 0; layer < 2; ++layer) {
      const std::string place =
          fmt::format("encoder.layers.{}.convolution.convolution_norm.", layer);
      const Registry& registry = pair.student().registry();
      const at::Tensor &mean = registry.find(place + "running_mean")->tensor,
                       &variance = registry.find(place + "running_variance")->tensor;
      const at::Tensor rows =
          at::cat(seen.normalised.at(mean.unsafeGetTensorImpl())).to(at::kDouble);
      EXPECT_TRUE(at::allclose(mean.to(at::kDouble), rows.mean(0), 1e-5, 1e-6));
      EXPECT_TRUE(at::allclose(variance.to(at::kDouble), rows.var(0, true), 1e-5, 1e-6));
    }
  }
}

TEST(Calibration, DeviationsAreTheTeachersInEveryMap) {
  const TeacherAndStudent pair = random_pair(small_config());
  calibrate_pair(pair, {.compensate = Compensation::deviation});
  Everything of_teacher = everything(*pair.teacher), of_student = everything(pair.student());
  for (const std::string name : {"feed_forward1.linear1.weight", "feed_forward2.linear2.weight"}) {
    const std::string whole = "encoder.layers.1." + name;
    const auto rows = [&](Everything& seen, const Transducer& model) {
      return at::cat(seen.outputs.at(model.registry().find(whole)->tensor.unsafeGetTensorImpl()));
    };
    const at::Tensor wanted = rows(of_teacher, *pair.teacher).slice(1, 0, std::nullopt, 2);
    const at::Tensor given = rows(of_student, pair.student());
    EXPECT_TRUE(at::allclose(given.std(0, false), wanted.std(0, false), 1e-4, 1e-5)) << name;
    EXPECT_TRUE(at::allclose(given.mean(0), wanted.mean(0), 1e-4, 1e-4)) << name;
  }
}

// A layer whose inputs are the teacher's keeps its weights, and counts all the same.
TEST(Calibration, CountsTheParametersOfCompensatedLayers) {
  const TeacherAndStudent pair = random_pair(small_config());
  const auto before = values(pair.student());
  const CalibrationSummary summary = calibrate_pair(pair, {.batch_norm = false});
  const auto after = values(pair.student());
  std::set<std::string> compensated;
  int64_t parameters = 0;
  for (const LayerErrors& layer : summary.layers) {
    const std::string bias = layer.name.substr(0, layer.name.rfind('.')) + ".bias";
    for (const std::string& name : {layer.name, bias})
      if (after.count(name) && compensated.insert(name).second)
        parameters += after.at(name).numel();
  }
  for (const auto& [name, value] : after)
    EXPECT_TRUE(compensated.count(name) || at::equal(value, before.at(name))) << name;
  EXPECT_GT(parameters, 7000);
  EXPECT_DOUBLE_EQ(summary.compensated_share() *
                       static_cast<double>(pair.student().registry().parameter_count()),
                   static_cast<double>(parameters));
  EXPECT_NE(summary.to_text().find("attention.out"), std::string::npos);
  EXPECT_EQ(summary.to_json()["read_outs"].size(), summary.layers.size());
}

TEST(Calibration, ScalesThatThePlanAppliesAreNoErrors) {
  ModelConfig wide = small_config();
  wide.conformer.head_width = 9;
  Transducer teacher(wide, vocabulary());
  initialise(teacher.registry(), "default", 8);
  const Selection selection =
      select_student(teacher, small_config(), named_rules("paper"), "xavier", 1);
  const CalibrationSummary summary =
      calibrate(teacher, *selection.student, selection.plan, audio_for(teacher),
                {.compensate = Compensation::none, .batch_norm = false});
  for (const LayerErrors& layer : summary.layers) {
    if (layer.name == "encoder.layers.0.attention.in.weight") {
      EXPECT_LT(layer.before, 1e-10);
    }
    if (layer.name == "encoder.layers.0.attention.out.weight") {
      EXPECT_GT(layer.before, 1e-3);
    }
  }
}

TEST(Calibration, RefusesAStudentWithOtherPieces) {
  const Transducer teacher(small_config(), vocabulary());
  Indices pieces;
  for (int64_t i = 0; i < vocabulary(); ++i) pieces.push_back(i == 3 ? -1 : i);
  const Selection selection =
      select_student(teacher, small_config(), named_rules("paper"), "xavier", 1, {}, pieces);
  EXPECT_THROW(calibrate(teacher, *selection.student, selection.plan, audio_for(teacher), {}),
               UserError);
}

TEST(Calibration, DoesNotChangeWhatThePlanLeavesRandom) {
  TeacherAndStudent pair = random_pair(small_config());
  SelectionRules rules = named_rules("paper");
  rules.partial = {"joiner"};
  pair.selection = select_student(*pair.teacher, small_config(), rules, "xavier", 1);
  const auto before = values(pair.student());
  for (const LayerErrors& layer : calibrate_pair(pair, {}).layers)
    EXPECT_FALSE(layer.name.starts_with("joiner")) << layer.name;
  for (const auto& [name, value] : values(pair.student()))
    if (name.starts_with("joiner")) {
      EXPECT_TRUE(at::equal(value, before.at(name))) << name;
    }
}

}  // namespace
}  // namespace scion
