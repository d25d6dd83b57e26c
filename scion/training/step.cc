#include "scion/training/step.h"

#include <chrono>

#include "scion/core/device.h"
#include "scion/loss/ctc_loss.h"
#include "scion/loss/distillation.h"
#include "scion/loss/pruned_loss.h"
#include "scion/loss/tdt_loss.h"
#include "scion/loss/transducer_loss.h"
#include "scion/nn/operators/functional.h"

namespace scion {
namespace {

/// A batch after encoder and predictor.
struct Encoded {
  EncoderOutput encoder;
  at::Tensor predicted;              // (B, U+1, width)
  at::Tensor tokens, token_lengths;  // on the CPU, like the encoder's lengths

  LatticeLabels labels() const { return {tokens, encoder.lengths, token_lengths}; }
};

// On a GPU small tiles cost launches and leave most of it idle, and less memory is not what a run
// lacks.
constexpr int64_t kGpuWorkspace = int64_t{256} << 20;

TransducerLossOptions loss_options(const Transducer& model, const TrainConfig& config,
                                   const ForwardContext& context) {
  const int64_t least = model.device().is_cpu() ? 0 : kGpuWorkspace;
  return {.blank = blank,
          .fast_emit = config.loss.fast_emit,
          .delay_penalty = config.loss.delay_penalty,
          .bf16 = context.bf16(),
          .workspace_bytes = std::max(config.loss.workspace << 20, least)};
}

/// Losses (B); the divergence where the targets are defined.
DistilledLoss exact_losses(const Transducer& model, const Encoded& x, const NodeTargets& targets,
                           const TrainConfig& config, const StepProgress& progress,
                           const ForwardContext& context) {
  JoinerInputs joiner = model.joiner().inputs(x.encoder.frames, x.predicted, context);
  const TransducerLossOptions options = loss_options(model, config, context);
  const TdtOptions tdt{model.config().durations, config.loss.sigma};
  const bool distilled = targets.weights.defined();
  if (!tdt.durations.empty() && !progress.rnnt_batch) {
    if (distilled) return distilled_joiner_tdt_loss(joiner, x.labels(), targets, tdt, options);
    return {joiner_tdt_loss(joiner, x.labels(), tdt, options), {}};
  }
  joiner = without_durations(joiner, tdt);
  if (distilled) return distilled_joiner_loss(joiner, x.labels(), targets, options);
  return {joiner_transducer_loss(joiner, x.labels(), options), {}};
}

/// Losses (B) of both passes: of the simple joiner, and of the joiner in the band that it finds.
struct PrunedLosses {
  at::Tensor simple, pruned;
};

PrunedLosses pruned_losses(const Transducer& model, const Encoded& x, const TrainConfig& config,
                           const ForwardContext& context) {
  const LatticeLabels labels = x.labels();
  const SimpleLossOptions options{.blank = blank,
                                  .delay_penalty = config.loss.delay_penalty,
                                  .lm_only_scale = config.loss.simple_predictor_share};
  const auto [am, lm] = model.simple_logits(x.encoder.frames, x.predicted, context);
  const SimpleLoss simple = scion::simple_transducer_loss(am, lm, labels, options);
  const at::Tensor ranges =
      ranges_of_flows(simple.flows, labels, options.topology, config.loss.prune_width);
  const JoinerInputs joiner = model.joiner().inputs(x.encoder.frames, x.predicted, context);
  return {simple.losses,
          pruned_joiner_loss(joiner, ranges, labels, loss_options(model, config, context))};
}

/// Whether each utterance has an alignment (B). A NaN is no answer: it comes from broken
/// weights or features.
at::Tensor has_alignment(const at::Tensor& losses) { return losses.isposinf().logical_not(); }

/// Over the utterances that count; 0 where none does.
at::Tensor mean_over(const at::Tensor& losses, const at::Tensor& counted) {
  return at::where(counted, losses, at::zeros_like(losses)).sum() / counted.sum().clamp_min(1);
}

/// Means over a batch's utterances; undefined where there is no such loss.
struct Means {
  at::Tensor transducer, simple, ctc, node_divergence, ctc_divergence;
  at::Tensor possible;  // (B) bool: the transducer has an alignment of the utterance
  at::Tensor frames;    // (B) of the encoder
};

Means mean_losses(const Transducer& model, const Batch& batch, const TeacherOutput& taught,
                  const TrainConfig& config, const StepProgress& progress,
                  const ForwardContext& context) {
  const EncoderOutput encoder = model.encode(batch.features, batch.feature_lengths, context);
  const Encoded x{encoder, model.predictor().forward(batch.tokens, context), batch.tokens,
                  batch.token_lengths};
  const auto count = static_cast<double>(batch.ids.size());
  Means means;
  means.frames = encoder.lengths;
  if (config.loss.kind == LossKind::pruned) {
    const PrunedLosses losses = pruned_losses(model, x, config, context);
    means.possible = has_alignment(losses.pruned).logical_and(has_alignment(losses.simple));
    means.transducer = mean_over(losses.pruned, means.possible);
    means.simple = mean_over(losses.simple, means.possible);
  } else {
    const DistilledLoss losses = exact_losses(model, x, taught.nodes, config, progress, context);
    means.possible = has_alignment(losses.transducer);
    means.transducer = mean_over(losses.transducer, means.possible);
    if (losses.divergence.defined())
      means.node_divergence = mean_over(losses.divergence, means.possible);
  }
  if (config.loss.ctc_weight == 0 && !taught.ctc_logits.defined()) return means;
  const at::Tensor logits = model.ctc_logits(encoder.frames, context);
  if (config.loss.ctc_weight > 0) {
    const at::Tensor ctc = scion::ctc_loss(logits, x.labels(), blank);
    means.ctc = mean_over(ctc, has_alignment(ctc));
  }
  if (taught.ctc_logits.defined())
    means.ctc_divergence = scion::ctc_divergence(taught.ctc_logits, logits, encoder.lengths,
                                                 config.distill.ctc_temperature)
                               .sum() /
                           count;
  return means;
}

at::Tensor total_of(const Means& means, const TrainConfig& config, const StepProgress& progress) {
  const double warm = progress.warmed_up;
  at::Tensor total = means.transducer;
  if (means.simple.defined())
    total = (0.1 + 0.9 * warm) * means.transducer +
            (1 - warm * (1 - config.loss.simple_weight)) * means.simple;
  if (means.ctc.defined())
    total = (1 - config.loss.ctc_weight) * total + config.loss.ctc_weight * means.ctc;
  if (means.node_divergence.defined())
    total = total + progress.distillation * config.distill.weight * means.node_divergence;
  if (means.ctc_divergence.defined())
    total = total + progress.distillation * config.distill.ctc_weight * means.ctc_divergence;
  return total;
}

/// Utterances without an alignment, and why.
std::vector<Skipped> impossible(const Batch& batch, const Means& means) {
  std::vector<Skipped> skipped;
  const at::Tensor possible = means.possible.cpu(), frames = means.frames.cpu();
  for (size_t b = 0; b < batch.ids.size(); ++b) {
    const auto i = static_cast<int64_t>(b);
    if (possible[i].item<bool>()) continue;
    skipped.push_back({batch.ids[b], fmt::format("no alignment of {} tokens in {} encoder frames",
                                                 batch.token_lengths[i].item<int64_t>(),
                                                 frames[i].item<int64_t>())});
  }
  return skipped;
}

// Labels and lengths stay on the CPU, where the losses read them.
Batch on_device_of(const Transducer& model, Batch batch) {
  batch.features = upload(batch.features, model.device());
  return batch;
}

}  // namespace

double batch_loss(const Transducer& model, const Batch& batch, const TrainConfig& config,
                  const ForwardContext& context) {
  const at::NoGradGuard no_grad;
  const Means means = mean_losses(model, on_device_of(model, batch), {}, config, {}, context);
  return total_of(means, config, {}).item<double>();
}

StepLoss accumulate_gradients(const Transducer& model, const Batch& given,
                              const TrainConfig& config, const ForwardContext& context,
                              const StepProgress& progress, const Teacher* teacher) {
  const Batch batch = on_device_of(model, given);
  const auto start = std::chrono::steady_clock::now();
  const TeacherOutput taught = teacher == nullptr ? TeacherOutput() : teacher->targets_for(batch);
  const std::chrono::duration<double> teaching = std::chrono::steady_clock::now() - start;
  const Means means = mean_losses(model, batch, taught, config, progress, context);
  const at::Tensor total = total_of(means, config, progress);
  total.backward();
  // A single copy synchronises a GPU once.
  const auto mean = [&](const at::Tensor& x) { return x.defined() ? x : at::zeros_like(total); };
  const at::Tensor numbers =
      at::stack({total, means.transducer, mean(means.ctc), mean(means.simple),
                 mean(means.node_divergence), mean(means.ctc_divergence)})
          .detach()
          .cpu();
  const auto number = [&](int64_t i) { return numbers[i].item<double>(); };
  return {.total = number(0),
          .transducer = number(1),
          .ctc = number(2),
          .simple = number(3),
          .node_divergence = number(4),
          .ctc_divergence = number(5),
          .teacher_seconds = teacher == nullptr ? 0 : teaching.count(),
          .impossible = impossible(batch, means)};
}

}  // namespace scion
