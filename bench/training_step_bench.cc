// Stages of a training step on synthetic speech. Arguments: precision in bits, threads. The
// counters are milliseconds per step, and seconds of audio per second.
#include <benchmark/benchmark.h>

#include <chrono>

#include "scion/core/threads.h"
#include "scion/loss/ctc_loss.h"
#include "scion/loss/pruned_loss.h"
#include "scion/loss/transducer_loss.h"
#include "scion/model/transducer.h"
#include "scion/nn/initialise.h"
#include "scion/training/optimisers/adamw.h"

namespace {

using Clock = std::chrono::steady_clock;

/// A batch like a recipe's: utterances of one length, 100 feature frames per second.
struct Speech {
  int64_t utterances, frames, labels, vocabulary;

  double seconds() const { return static_cast<double>(utterances * frames) / 100; }
};
constexpr Speech kAn4{10, 270, 14, 28};           // 27 s; characters
constexpr Speech kLibriSpeech{4, 1400, 70, 500};  // 56 s; 5 pieces per second

scion::ModelConfig configuration(const std::string& preset, bool pruned) {
  scion::ModelConfig config = scion::preset(preset);
  config.simple_joiner = pruned;
  return config;
}

class Stages {
 public:
  Stages(const std::string& preset, const Speech& speech, bool pruned)
      : speech_(speech), model_(configuration(preset, pruned), speech.vocabulary) {
    at::manual_seed(1);
    scion::initialise(model_.registry(), "default", 1);
    optimiser_ = std::make_unique<scion::AdamW>(model_.registry(), scion::AdamWConfig());
    features_ = at::randn({speech.utterances, speech.frames, model_.config().features.bins});
    frames_ = at::full({speech.utterances}, speech.frames, at::kLong);
    tokens_ = at::randint(1, speech.vocabulary, {speech.utterances, speech.labels}, at::kLong);
    labels_ = at::full({speech.utterances}, speech.labels, at::kLong);
  }

  void step(const scion::ForwardContext& context) {
    last_ = Clock::now();
    const scion::EncoderOutput encoded = model_.encode(features_, frames_, context);
    pass("encoder forward");
    // Ends the losses' backward pass here, so that the encoder's is timed separately.
    const at::Tensor frames = encoded.frames.detach().requires_grad_();
    const at::Tensor loss = losses(frames, encoded.lengths, context);
    pass("losses forward");
    loss.backward();
    pass("losses backward");
    encoded.frames.backward(frames.grad());
    pass("encoder backward");
    optimiser_->step({.lr = 1e-4}, 1);
    pass("optimiser");
  }

  void forget() { seconds_.clear(); }

  void report(benchmark::State& state) const {
    const auto steps = static_cast<double>(state.iterations());
    double total = 0;
    for (const auto& [name, seconds] : seconds_) {
      state.counters[name] = 1000 * seconds / steps;
      total += seconds;
    }
    state.counters["x real time"] = speech_.seconds() * steps / total;
  }

 private:
  at::Tensor losses(const at::Tensor& frames, const at::Tensor& lengths,
                    const scion::ForwardContext& context) const {
    const at::Tensor predicted = model_.predictor().forward(tokens_, context);
    at::Tensor loss = model_.config().simple_joiner
                          ? pruned_loss(frames, predicted, lengths, context)
                          : exact_loss(frames, predicted, lengths, context);
    if (model_.config().ctc)
      loss = loss + scion::ctc_loss(model_.ctc_logits(frames, context), {tokens_, lengths, labels_},
                                    scion::blank)
                        .sum();
    return loss;
  }

  at::Tensor exact_loss(const at::Tensor& frames, const at::Tensor& predicted,
                        const at::Tensor& lengths, const scion::ForwardContext& context) const {
    return scion::joiner_transducer_loss(model_.joiner().inputs(frames, predicted, context),
                                         {tokens_, lengths, labels_}, {.bf16 = context.bf16()})
        .sum();
  }

  at::Tensor pruned_loss(const at::Tensor& frames, const at::Tensor& predicted,
                         const at::Tensor& lengths, const scion::ForwardContext& context) const {
    const scion::LatticeLabels labels{tokens_, lengths, labels_};
    const auto [am, lm] = model_.simple_logits(frames, predicted, context);
    const scion::SimpleLoss simple =
        scion::simple_transducer_loss(am, lm, labels, {.lm_only_scale = 0.25});
    const at::Tensor ranges =
        scion::ranges_of_flows(simple.flows, labels, scion::Topology::regular, 5);
    const at::Tensor pruned =
        scion::pruned_joiner_loss(model_.joiner().inputs(frames, predicted, context), ranges,
                                  labels, {.bf16 = context.bf16()});
    return pruned.sum() + 0.5 * simple.losses.sum();
  }

  void pass(const char* stage) {
    const auto now = Clock::now();
    seconds_[stage] += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

  Speech speech_;
  scion::Transducer model_;
  std::unique_ptr<scion::AdamW> optimiser_;
  at::Tensor features_, frames_, tokens_, labels_;
  Clock::time_point last_;
  std::map<std::string, double> seconds_;
};

void training_step(benchmark::State& state, const std::string& preset, const Speech& speech,
                   bool pruned = false) {
  scion::set_thread_count(static_cast<int>(state.range(1)));
  Stages stages(preset, speech, pruned);
  int64_t update = 0;
  for (auto _ : state)
    stages.step(scion::ForwardContext::for_training(1, update++, state.range(0) == 16));
  stages.report(state);
}

void cases(benchmark::internal::Benchmark* b) {
  b->ArgNames({"bits", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const int64_t bits : {32, 16})
    for (const int64_t threads : {1, 2}) b->Args({bits, threads});
}

BENCHMARK_CAPTURE(training_step, an4_student, "an4-student", kAn4)->Apply(cases);
BENCHMARK_CAPTURE(training_step, an4_teacher, "an4-teacher", kAn4)->Apply(cases);
BENCHMARK_CAPTURE(training_step, conformer_9m, "conformer-9m", kLibriSpeech)->Apply(cases);
BENCHMARK_CAPTURE(training_step, conformer_9m_pruned, "conformer-9m", kLibriSpeech, true)
    ->Apply(cases);
BENCHMARK_CAPTURE(training_step, an4_student_streaming, "an4-student-streaming", kAn4)
    ->Apply(cases);
BENCHMARK_CAPTURE(training_step, conformer_9m_streaming, "conformer-9m-streaming", kLibriSpeech)
    ->Apply(cases);

}  // namespace
