#include "scion/calibration/calibration.h"

#include <gtest/gtest.h>

#include "scion/core/error.h"
#include "scion/core/threads.h"
#include "scion/nn/initialise.h"
#include "scion/nn/operators/functional.h"
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

// A teacher of the doubled configuration, its values at random.
TeacherAndStudent random_pair(const ModelConfig& config) {
  TeacherAndStudent pair;
  pair.teacher = std::make_unique<Transducer>(doubled(config), vocabulary());
  initialise(pair.teacher->registry(), "xavier", 4);
  pair.selection = select_student(*pair.teacher, config, named_rules("paper"), "xavier", 1);
  return pair;
}

// A teacher that is the small model, each element twice.
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
std::vector<at::Tensor> heard(const Transducer& model) {
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
  for (const std::string target : {"branch", "residual"}) {
    const TeacherAndStudent pair = doubled_pair(config());
    const std::vector<at::Tensor> wanted = heard(*pair.teacher);
    EXPECT_GT(difference(heard(pair.student()), wanted), 0.3);
    const CalibrationSummary summary =
        calibrate_pair(pair, {.ridge = 1e-9, .target = target, .batch_norm = false});
    EXPECT_LT(difference(heard(pair.student()), wanted), 2e-2);
    for (const ReadOutRecord& map : summary.read_outs) EXPECT_LT(map.after, 1e-4) << map.name;
  }
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
  for (const ReadOutRecord& map : summary.read_outs) {
    EXPECT_TRUE(map.compensated);
    EXPECT_LE(map.after, map.before + 1e-6) << map.name;
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
                                           std::pair{"kind", "lstm"}),
                         [](const auto& info) {
                           return info.param.first + "_" + info.param.second;
                         });

// What enters each batch normalisation, and what each map gives, over all utterances.
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
  for (const std::string compensate : {"none", "least-squares"}) {
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
  calibrate_pair(pair, {.compensate = "deviation", .parts = {"linear"}});
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

TEST(Calibration, ChangesThePartsThatAreNamedAndNothingElse) {
  const TeacherAndStudent pair = random_pair(small_config());
  const auto before = values(pair.student());
  const CalibrationSummary summary =
      calibrate_pair(pair, {.parts = {"attention.out", "ctc"}, .batch_norm = false});
  for (const auto& [name, value] : values(pair.student()))
    EXPECT_EQ(at::equal(value, before.at(name)),
              name.find("attention.out") == std::string::npos && !name.starts_with("ctc"))
        << name;
  int64_t compensated = 0;
  for (const ReadOutRecord& map : summary.read_outs) compensated += map.compensated ? 1 : 0;
  EXPECT_EQ(compensated, 3);
  int64_t named = 0;
  for (const auto& [name, value] : before)
    if (name.find("attention.out") != std::string::npos || name.starts_with("ctc"))
      named += value.numel();
  EXPECT_DOUBLE_EQ(summary.compensated_share() *
                       static_cast<double>(pair.student().registry().parameter_count()),
                   static_cast<double>(named));
  EXPECT_NE(summary.to_text().find("attention.out"), std::string::npos);
  EXPECT_EQ(summary.to_json()["read_outs"].size(), summary.read_outs.size());
}

TEST(Calibration, StrengthGoesFromTheSelectedWeightsToTheCompensatedOnes) {
  const CalibrationConfig one{.parts = {"convolution1", "convolution2"}, .batch_norm = false};
  std::vector<at::Tensor> weights;
  for (const double strength : {0.0, 0.5, 1.0}) {
    const TeacherAndStudent pair = random_pair(small_config());
    CalibrationConfig config = one;
    config.strength = strength;
    calibrate_pair(pair, config);
    weights.push_back(
        pair.student().registry().find("encoder.subsampling.convolution2.weight")->tensor.detach());
  }
  const TeacherAndStudent untouched = random_pair(small_config());
  EXPECT_TRUE(at::equal(
      weights[0],
      untouched.student().registry().find("encoder.subsampling.convolution2.weight")->tensor));
  EXPECT_TRUE(at::allclose(weights[1], (weights[0] + weights[2]) / 2, 1e-5, 1e-6));
  EXPECT_FALSE(at::allclose(weights[0], weights[2], 1e-2, 1e-3));
}

TEST(Calibration, RefusesPartsThatDoNotExist) {
  const TeacherAndStudent pair = random_pair(small_config());
  const std::string error =
      error_of<UserError>([&] { calibrate_pair(pair, {.parts = {"linear9"}}); });
  EXPECT_NE(error.find("linear9"), std::string::npos);
  EXPECT_NE(error.find("feed_forward1.linear1"), std::string::npos);
}

// Narrower heads: queries and keys are rescaled, and that is no error.
TEST(Calibration, WantsWhatThePlanRescalesRescaled) {
  ModelConfig wide = small_config();
  wide.conformer.head_width = 9;
  Transducer teacher(wide, vocabulary());
  initialise(teacher.registry(), "default", 8);
  const Selection selection =
      select_student(teacher, small_config(), named_rules("paper"), "xavier", 1);
  const CalibrationSummary summary =
      calibrate(teacher, *selection.student, selection.plan, audio_for(teacher),
                {.compensate = "none", .batch_norm = false});
  for (const ReadOutRecord& map : summary.read_outs) {
    if (map.name == "encoder.layers.0.attention.in.weight") {
      EXPECT_LT(map.before, 1e-10);
    }
    if (map.name == "encoder.layers.0.attention.out.weight") {
      EXPECT_GT(map.before, 1e-3);
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

TEST(Calibration, LeavesAloneWhatThePlanDoesNotTakeFromTheTeacher) {
  TeacherAndStudent pair = random_pair(small_config());
  SelectionRules rules = named_rules("paper");
  rules.partial = {"joiner"};
  pair.selection = select_student(*pair.teacher, small_config(), rules, "xavier", 1);
  const auto before = values(pair.student());
  for (const ReadOutRecord& map : calibrate_pair(pair, {}).read_outs)
    EXPECT_FALSE(map.name.starts_with("joiner")) << map.name;
  for (const auto& [name, value] : values(pair.student()))
    if (name.starts_with("joiner")) {
      EXPECT_TRUE(at::equal(value, before.at(name))) << name;
    }
}

TEST(Calibration, TheAudioIsASampleThatDependsOnIdsAndLengthOnly) {
  const Transducer model(small_config(), vocabulary());
  const CalibrationAudio all = read_calibration_audio(speech(), model, 1000);
  EXPECT_EQ(all.utterances.size(), speech().size());
  const CalibrationAudio some = read_calibration_audio(speech(), model, 4);
  ASSERT_GT(some.utterances.size(), 1U);
  EXPECT_LE(some.seconds, 4);
  for (size_t i = 0; i < some.utterances.size(); ++i)
    EXPECT_TRUE(at::equal(some.utterances[i].features, all.utterances[i].features));
  EXPECT_EQ(read_calibration_audio(speech(), model, 0).utterances.size(), 1U);
}

}  // namespace
}  // namespace scion
