#include "scion/training/step.h"

#include <gtest/gtest.h>

#include "scion/model/model_file.h"
#include "scion/nn/initialise.h"
#include "tests/core/cuda.h"
#include "tests/core/temporary_folder.h"
#include "tests/model/small_models.h"

namespace scion {
namespace {

using scion::testing::small_config;

class Step : public ::testing::Test {
 protected:
  Step() {
    at::manual_seed(3);
    ModelConfig config = small_config("bias", "batch", 6);
    config.simple_joiner = true;
    const int64_t vocabulary = tokenizer_.size();
    model_ = std::make_unique<Transducer>(config, vocabulary);
    initialise(model_->registry(), "default", 1);
    batch_.features = at::randn({2, 150, config.features.columns()});
    batch_.feature_lengths = at::tensor({int64_t{150}, int64_t{100}});
    batch_.tokens = at::randint(1, vocabulary, {2, 6}, at::kLong);
    batch_.token_lengths = at::tensor({int64_t{6}, int64_t{4}});
    batch_.ids = {"a", "b"};
  }

  /// The step's losses, and every parameter's gradient.
  std::pair<StepLoss, std::map<std::string, at::Tensor>> run(
      const TrainConfig& config, const StepProgress& progress = {},
      const Teacher* teacher = nullptr, const ForwardContext& context = ForwardContext()) const {
    for (const Parameter& parameter : model_->registry().all())
      parameter.tensor.mutable_grad() = at::Tensor();
    const StepLoss loss = accumulate_gradients(*model_, batch_, config, context, progress, teacher);
    std::map<std::string, at::Tensor> gradients;
    for (const Parameter& parameter : model_->registry().all())
      if (parameter.tensor.grad().defined())
        gradients[parameter.name] = parameter.tensor.grad().to(at::kCPU, at::kFloat, false, true);
    return {loss, gradients};
  }

  /// A wider recogniser of the same pieces, or the model itself.
  Teacher teacher(const TrainConfig& config, bool wider = true) const {
    ModelConfig of_teacher = model_->config();
    if (wider) {
      of_teacher.conformer.width = 24;
      of_teacher.joiner_width = 20;
    }
    Transducer other(of_teacher, model_->vocabulary());
    initialise(other.registry(), "default", 2);
    save_model(config.distill.teacher, wider ? other : *model_, tokenizer_.serialised(), {});
    return Teacher(config.distill, config.precision, *model_, tokenizer_);
  }

  Tokenizer tokenizer_ = Tokenizer::train({"abcdefg"}, {.kind = PieceKind::character});
  std::unique_ptr<Transducer> model_;
  Batch batch_;
  TemporaryFolder folder_;
};

TEST_F(Step, ABandOfAllStatesIsTheExactLoss) {
  TrainConfig config;
  const auto [exact, exact_gradients] = run(config);
  config.loss.kind = LossKind::pruned;
  config.loss.prune_width = 100;
  config.loss.simple_weight = 0;
  const auto [pruned, gradients] = run(config);
  EXPECT_NEAR(pruned.total, exact.total, 1e-3);
  EXPECT_NEAR(pruned.transducer, exact.transducer, 1e-3);
  for (const auto& [name, expected] : exact_gradients)
    EXPECT_LT((gradients.at(name) - expected).abs().max().item<double>(),
              1e-4 * (1 + expected.abs().max().item<double>()))
        << name;
}

class TdtStep : public Step {
 protected:
  TdtStep() {
    ModelConfig config = model_->config();
    config.durations = {0, 1, 2};
    model_ = std::make_unique<Transducer>(config, tokenizer_.size());
    initialise(model_->registry(), "default", 1);
  }
  /// The model without its durations.
  void make_rnnt() {
    ModelConfig config = model_->config();
    config.durations = {};
    auto rnnt = std::make_unique<Transducer>(config, tokenizer_.size());
    const at::NoGradGuard no_grad;
    for (const Parameter& parameter : rnnt->registry().all())
      parameter.tensor.copy_(model_->registry().find(parameter.name)->tensor);
    model_ = std::move(rnnt);
  }
};

TEST_F(TdtStep, DurationsLearnFromTheTdtLossAndNotInAnRnntBatch) {
  const TrainConfig config;
  const auto [tdt, gradients] = run(config);
  EXPECT_TRUE(std::isfinite(tdt.transducer));
  const auto [batch, batch_gradients] = run(config, {.rnnt_batch = true});
  for (const char* name : {"joiner.durations.weight", "joiner.durations.bias"}) {
    EXPECT_GT(gradients.at(name).abs().max().item<double>(), 1e-4) << name;
    EXPECT_EQ(batch_gradients.at(name).abs().max().item<double>(), 0) << name;
  }
  make_rnnt();
  const auto [rnnt, rnnt_gradients] = run(config);
  EXPECT_EQ(batch.total, rnnt.total);
  EXPECT_NE(tdt.transducer, rnnt.transducer);
  for (const auto& [name, gradient] : rnnt_gradients)
    EXPECT_TRUE(at::equal(gradient, batch_gradients.at(name))) << name;
}

TEST_F(TdtStep, SigmaRaisesTheLossOfEveryToken) {
  TrainConfig config;
  config.loss.sigma = 0;
  const double without = run(config).first.transducer;
  config.loss.sigma = 0.5;
  EXPECT_GT(run(config).first.transducer, without + 1);
}

TEST_F(TdtStep, LearnsFromATdtAndFromAnRnntTeacher) {
  TrainConfig config;
  config.distill.teacher = folder_ / "teacher.safetensors";
  const Teacher tdt = teacher(config);
  const auto [from_tdt, gradients] = run(config, {}, &tdt);
  EXPECT_GT(from_tdt.node_divergence, 0.1);
  EXPECT_GT(gradients.at("joiner.durations.weight").abs().max().item<double>(), 1e-4);
  const StepLoss batch = run(config, {.rnnt_batch = true}, &tdt).first;
  EXPECT_NEAR(batch.node_divergence, from_tdt.node_divergence, 1e-3);
  const Teacher same = teacher(config, /*wider=*/false);
  EXPECT_NEAR(run(config, {}, &same).first.node_divergence, 0, 1e-3);
  const auto student = std::move(model_);
  model_ = std::make_unique<Transducer>(student->config(), tokenizer_.size());
  initialise(model_->registry(), "default", 3);
  make_rnnt();
  const Teacher rnnt = teacher(config);
  EXPECT_GT(run(config, {}, &tdt).first.node_divergence, 0.1) << "an RNN-T from a TDT";
  model_ = std::make_unique<Transducer>(student->config(), tokenizer_.size());
  initialise(model_->registry(), "default", 1);
  EXPECT_GT(run(config, {}, &rnnt).first.node_divergence, 0.1) << "a TDT from an RNN-T";
}

TEST_F(Step, ALossIsReadWithoutGradients) {
  for (const LossKind kind : {LossKind::exact, LossKind::pruned}) {
    TrainConfig config;
    config.loss.kind = kind;
    const auto context = [] { return ForwardContext::for_training(0, 0, false); };
    const double expected = run(config, {}, nullptr, context()).first.total;
    for (const Parameter& parameter : model_->registry().all())
      parameter.tensor.mutable_grad() = at::Tensor();
    EXPECT_EQ(batch_loss(*model_, batch_, config, context()), expected) << word_of(kind);
    for (const Parameter& parameter : model_->registry().all())
      EXPECT_FALSE(parameter.tensor.grad().defined()) << parameter.name;
  }
}

TEST_F(Step, AnUtteranceWithoutAlignmentCountsNothing) {
  batch_.feature_lengths[1] = 4;  // too few for a frame of the encoder
  for (const LossKind kind : {LossKind::exact, LossKind::pruned}) {
    TrainConfig config;
    config.loss.kind = kind;
    const auto [both, gradients] = run(config);
    ASSERT_EQ(both.impossible.size(), 1U);
    EXPECT_EQ(both.impossible[0].id, "b");
    EXPECT_EQ(both.impossible[0].reason, "no alignment of 4 tokens in 0 encoder frames");
    EXPECT_TRUE(std::isfinite(both.total));
    for (const auto& [name, gradient] : gradients)
      EXPECT_TRUE(gradient.isfinite().all().item<bool>()) << name;
  }
}

TEST_F(Step, TheSimpleJoinerLearnsFromItsOwnLoss) {
  TrainConfig config;
  config.loss.kind = LossKind::pruned;
  config.loss.prune_width = 3;
  const auto [late, late_gradients] = run(config, {.warmed_up = 1});
  const auto [early, early_gradients] = run(config, {.warmed_up = 0});
  const double ctc = config.loss.ctc_weight;
  EXPECT_NEAR(late.total, (1 - ctc) * (late.transducer + 0.5 * late.simple) + ctc * late.ctc, 1e-3);
  EXPECT_NEAR(early.total, (1 - ctc) * (0.1 * early.transducer + early.simple) + ctc * early.ctc,
              1e-3);
  for (const char* name : {"simple_joiner.encoder.weight", "simple_joiner.predictor.bias"}) {
    // The pruned loss knows nothing of these heads: their gradient doubles with the weight.
    EXPECT_GT(late_gradients.at(name).abs().max().item<double>(), 1e-4) << name;
    EXPECT_TRUE(early_gradients.at(name).allclose(2 * late_gradients.at(name), 1e-4, 1e-6)) << name;
  }
}

// In evaluation mode, without dropout, a model that is its own teacher has learnt everything.
TEST_F(Step, AModelHasNothingToLearnFromItself) {
  TrainConfig config;
  config.distill.teacher = folder_ / "same.safetensors";
  const auto [plain, plain_gradients] = run(config);
  const Teacher same = teacher(config, /*wider=*/false);
  const auto [loss, gradients] = run(config, {}, &same);
  EXPECT_NEAR(loss.total, plain.total, 1e-3);
  EXPECT_NEAR(loss.node_divergence, 0, 1e-3);
  EXPECT_NEAR(loss.ctc_divergence, 0, 1e-3);
  for (const auto& [name, expected] : plain_gradients)
    EXPECT_LT((gradients.at(name) - expected).abs().max().item<double>(), 1e-3) << name;
}

TEST_F(Step, DivergencesFromTheTeacherAreAddedWithTheirWeights) {
  TrainConfig config;
  config.distill.teacher = folder_ / "teacher.safetensors";
  config.distill.weight = 0.3;
  config.distill.ctc_weight = 0.7;
  const Teacher wider = teacher(config);
  const StepLoss loss = run(config, {.distillation = 0.5}, &wider).first;
  EXPECT_GT(loss.node_divergence, 0.1);
  EXPECT_GT(loss.ctc_divergence, 0.1);
  EXPECT_GT(loss.teacher_seconds, 0);
  const double ctc = config.loss.ctc_weight;
  EXPECT_NEAR(loss.total,
              (1 - ctc) * loss.transducer + ctc * loss.ctc +
                  0.5 * (0.3 * loss.node_divergence + 0.7 * loss.ctc_divergence),
              1e-3);
  // Each only where it is asked for; the joiner learns nothing from a CTC head.
  config.distill.weight = 0;
  const Teacher heads = teacher(config);
  const auto [of_ctc, ctc_gradients] = run(config, {}, &heads);
  EXPECT_EQ(of_ctc.node_divergence, 0);
  EXPECT_NEAR(of_ctc.ctc_divergence, loss.ctc_divergence, 1e-3);
  const auto plain_gradients = run(config).second;
  EXPECT_TRUE(at::equal(ctc_gradients.at("joiner.output.weight"),
                        plain_gradients.at("joiner.output.weight")));
  EXPECT_FALSE(at::equal(ctc_gradients.at("ctc.weight"), plain_gradients.at("ctc.weight")));
}

// Dropout masks are the same on every device.
TEST_F(Step, OnAGpuEqualsTheCpus) {
  if (!scion::testing::has_gpu()) GTEST_SKIP() << "no GPU";
  at::globalContext().setAllowTF32CuDNN(false);
  for (const LossKind kind : {LossKind::exact, LossKind::pruned}) {
    TrainConfig config;
    config.loss.kind = kind;
    const ForwardContext context = ForwardContext::for_training(1, 3, false);
    const auto [expected, expected_gradients] = run(config, {}, nullptr, context);
    model_->to(at::kCUDA);
    const auto [found, gradients] =
        run(config, {}, nullptr, ForwardContext::for_training(1, 3, false));
    model_->to(at::kCPU);
    EXPECT_NEAR(found.total, expected.total, 1e-3);
    EXPECT_NEAR(found.ctc, expected.ctc, 1e-3);
    for (const auto& [name, want] : expected_gradients)
      EXPECT_LT((gradients.at(name) - want).abs().max().item<double>(),
                1e-3 * (1 + want.abs().max().item<double>()))
          << word_of(kind) << " " << name;
  }
}

}  // namespace
}  // namespace scion
