#include "scion/calibration/activation_scores.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "scion/core/threads.h"
#include "scion/nn/initialise.h"
#include "scion/nn/operators/observer.h"
#include "tests/data/small_corpus.h"
#include "tests/model/small_models.h"
#include "tests/selection/doubled_model.h"

namespace scion {
namespace {

using scion::testing::randomise;
using scion::testing::small_config;
using scion::testing::small_config_of_kind;

const Dataset& spoken() {
  static const SmallCorpus corpus(6);
  static const FeatureConfig features = small_config().features;
  static const Dataset data({corpus.manifest()}, features, small_tokenizer(), "", {1.0});
  return data;
}

LeafScores scores_of(const Transducer& model) {
  return activation_scores(model, read_calibration_audio(spoken(), model, 100));
}

TEST(Activation, EveryLeafHasAScoreForEachOfItsElements) {
  for (const std::string kind : {"bias", "sinusoid", "causal", "chunked", "fast", "lstm", "tdt"}) {
    const ModelConfig config =
        kind == "bias" || kind == "sinusoid" ? small_config(kind) : small_config_of_kind(kind);
    Transducer model(config, small_tokenizer().size());
    randomise(model, 3);
    LeafScores scores = scores_of(model);
    for (const Parameter& parameter : model.registry().all())
      for (const Axis& axis : parameter.axes)
        axis.visit_leaves([&](const Axis& leaf) {
          if (leaf.name() == "encoder.frequencies") return;
          ASSERT_TRUE(scores.contains(leaf.name())) << kind << " " << leaf.name();
          EXPECT_EQ(scores[leaf.name()].size(), static_cast<size_t>(leaf.size())) << leaf.name();
        });
    EXPECT_FALSE(scores.contains("encoder.frequencies"));
  }
}

// Spliced heads are one leaf, and in the published rule every dimension of a tensor is one.
TEST(Activation, ScoresTheLeavesOfEveryGrain) {
  Transducer model(small_config(), small_tokenizer().size());
  randomise(model, 3);
  const CalibrationAudio audio = read_calibration_audio(spoken(), model, 100);
  const LeafScores leaves = activation_scores(model, audio);
  const std::string attention = "encoder.layers.1.attention.";
  const LeafScores spliced = activation_scores(model, audio, Grain::spliced);
  const Axis joined =
      plan_axes(*model.registry().find(attention + "out.weight"), Grain::spliced)[1];
  const std::vector<double>& values = spliced.at(joined.name());
  ASSERT_EQ(values.size(), 12U);
  const std::vector<double>& heads = leaves.at(attention + "heads");
  for (size_t head = 0; head < 2; ++head)
    EXPECT_NEAR(std::accumulate(&values[6 * head], &values[6 * head] + 6, 0.0) / 6, heads[head],
                1e-9);
  EXPECT_EQ(spliced.at("joiner.width"), leaves.at("joiner.width"));
  const LeafScores dimensions = activation_scores(model, audio, Grain::tensor);
  EXPECT_EQ(dimensions.at(attention + "out.weight#1"), values);
}

TEST(Activation, OrdersSplicedHeads) {
  Transducer teacher(testing::doubled(small_config()), small_tokenizer().size());
  randomise(teacher, 8);
  Transducer student(small_config(), small_tokenizer().size());
  SelectionRules rules = named_rules("paper");
  rules.elements = ElementRule::activation;
  rules.heads = HeadRule::spliced;
  const LeafScores scores =
      activation_scores(teacher, read_calibration_audio(spoken(), teacher, 100), Grain::spliced);
  const Plan plan = make_plan(teacher.registry(), student.registry(), rules, scores);
  const Axis joined = plan_axes(*student.registry().find("encoder.layers.0.attention.out.weight"),
                                Grain::spliced)[1];
  const LeafChoice* chosen = plan.find_leaf(joined.name());
  ASSERT_NE(chosen, nullptr);
  EXPECT_EQ(chosen->indices, highest(scores.at(chosen->teacher), joined.size()));
}

// Computed by hand for a leaf with one reader.
TEST(Activation, IsTheSecondMomentOfWhatIsRead) {
  const at::NoGradGuard no_grad;
  Transducer model(small_config(), small_tokenizer().size());
  randomise(model, 4);
  class Keep : public InputObserver {
   public:
    explicit Keep(at::Tensor weight) : weight_(std::move(weight)) {}
    void linear(const LinearMap& map, const at::Tensor& x) override {
      if (map.weights[0].is_same(weight_)) rows.push_back(x.flatten(0, -2));
    }
    void batch_norm(const at::Tensor&, const at::Tensor&, const at::Tensor&) override {}
    std::vector<at::Tensor> rows;

   private:
    at::Tensor weight_;
  };
  const auto squares = [&](const std::string& name) {
    Keep keep(model.registry().find(name)->tensor);
    ForwardContext context;
    context.inputs = &keep;
    for (size_t i = 0; i < spoken().size(); ++i) {
      const at::Tensor features = spoken().features(i, 1).unsqueeze(0);
      model.encode(features, at::tensor(std::vector<int64_t>{features.size(1)}), context);
    }
    return at::cat(keep.rows).to(at::kDouble).square().mean(0);
  };
  const auto expect_shares = [](const std::vector<double>& scores, const at::Tensor& moments) {
    const at::Tensor shares = moments / moments.mean();
    ASSERT_EQ(scores.size(), static_cast<size_t>(shares.numel()));
    for (size_t i = 0; i < scores.size(); ++i)
      EXPECT_NEAR(scores[i], shares[int64_t(i)].item<double>(), 1e-6);
  };
  const LeafScores scores = scores_of(model);
  const std::string layer = "encoder.layers.1.";
  expect_shares(scores.at(layer + "feed_forward2.hidden"),
                squares(layer + "feed_forward2.linear2.weight"));
  const at::Tensor values = squares(layer + "attention.out.weight").view({2, 6});
  expect_shares(scores.at(layer + "attention.heads"), values.mean(1));
  expect_shares(scores.at(layer + "attention.value"), values.mean(0));
}

TEST(Activation, ASilentElementIsLast) {
  const at::NoGradGuard no_grad;
  Transducer model(small_config(), small_tokenizer().size());
  randomise(model, 5);
  const std::string place = "encoder.layers.0.feed_forward1.";
  model.registry().find(place + "linear1.weight")->tensor[7].fill_(0);
  model.registry().find(place + "linear1.bias")->tensor[7].fill_(0);
  const std::vector<double> scores = scores_of(model).at(place + "hidden");
  EXPECT_EQ(scores[7], 0);
  EXPECT_EQ(std::min_element(scores.begin(), scores.end()) - scores.begin(), 7);
}

TEST(Activation, IsTheSameForAnyNumberOfThreads) {
  Transducer model(small_config(), small_tokenizer().size());
  randomise(model, 6);
  const int before = thread_count();
  set_thread_count(1);
  const LeafScores one = scores_of(model);
  set_thread_count(3);
  EXPECT_EQ(one, scores_of(model));
  set_thread_count(before);
}

}  // namespace
}  // namespace scion
