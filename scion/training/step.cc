#include "scion/training/step.h"

#include "scion/model/functional.h"
#include "scion/transducer/ctc_loss.h"
#include "scion/transducer/loss.h"
#include "scion/transducer/pruned_loss.h"

namespace scion {
namespace {

/// What a batch is after encoder and predictor.
struct Encoded {
  EncoderOutput encoder;
  at::Tensor predicted;  // (B, U+1, width)
  at::Tensor tokens, token_lengths;
};

at::Tensor exact_losses(const Transducer& model, const Encoded& x, const TrainConfig& config,
                        const Context& context) {
  const Joiner& joiner = model.joiner();
  return scion::joiner_transducer_loss(joiner.project_encoder(x.encoder.frames, context),
                                       joiner.project_predictor(x.predicted, context),
                                       joiner.weight(), joiner.bias(), x.tokens, x.encoder.lengths,
                                       x.token_lengths,
                                       {.blank = blank,
                                        .fast_emit = config.fast_emit,
                                        .delay_penalty = config.delay_penalty,
                                        .bf16 = context.bf16(),
                                        .workspace_bytes = config.loss_workspace << 20});
}

/// Losses (B) of both passes: the simple joiner's, and the joiner's in the band that it found.
struct PrunedLosses {
  at::Tensor simple, pruned;
};

PrunedLosses pruned_losses(const Transducer& model, const Encoded& x, const TrainConfig& config,
                           const Context& context) {
  const LatticeLabels labels{x.tokens, x.encoder.lengths, x.token_lengths};
  const SimpleLossOptions options{.blank = blank,
                                  .delay_penalty = config.delay_penalty,
                                  .lm_only_scale = config.simple_predictor_share};
  const auto [am, lm] = model.simple_logits(x.encoder.frames, x.predicted, context);
  const SimpleLoss simple = scion::simple_transducer_loss(am, lm, labels, options);
  const at::Tensor ranges =
      pruning_ranges(simple.arcs, labels, options.topology, config.prune_width);
  const Joiner& joiner = model.joiner();
  const auto [frames, states] = take_ranges(joiner.project_encoder(x.encoder.frames, context),
                                            joiner.project_predictor(x.predicted, context), ranges);
  const at::Tensor logits =
      linear(at::tanh(frames + states), joiner.weight(), joiner.bias(), context);
  return {simple.losses, scion::pruned_transducer_loss(logits, ranges, labels, options)};
}

}  // namespace

StepLoss accumulate_gradients(const Transducer& model, const Batch& batch,
                              const TrainConfig& config, const Context& context, double warmed_up) {
  const at::Device device = model.device();
  const at::Tensor tokens = batch.tokens.to(device);
  const EncoderOutput encoder =
      model.encode(batch.features.to(device), batch.feature_lengths.to(device), context);
  const Encoded x{encoder, model.predictor().forward(tokens, context), tokens,
                  batch.token_lengths.to(device)};

  const double count = static_cast<double>(batch.ids.size());
  at::Tensor transducer_mean, simple_mean, ctc_mean, total;
  if (config.loss == "pruned") {
    const PrunedLosses losses = pruned_losses(model, x, config, context);
    transducer_mean = losses.pruned.sum() / count;
    simple_mean = losses.simple.sum() / count;
    total = (0.1 + 0.9 * warmed_up) * transducer_mean +
            (1 - warmed_up * (1 - config.simple_weight)) * simple_mean;
  } else {
    total = transducer_mean = exact_losses(model, x, config, context).sum() / count;
  }
  if (config.ctc_weight > 0) {
    const at::Tensor ctc = scion::ctc_loss(model.ctc_logits(encoder.frames, context), tokens,
                                           encoder.lengths, x.token_lengths, blank);
    ctc_mean = at::where(ctc.isinf(), at::zeros_like(ctc), ctc).sum() / count;
    total = (1 - config.ctc_weight) * total + config.ctc_weight * ctc_mean;
  }
  total.backward();
  const auto number = [](const at::Tensor& mean) {
    return mean.defined() ? mean.item<double>() : 0;
  };
  return {number(total), number(transducer_mean), number(ctc_mean), number(simple_mean)};
}

}  // namespace scion
