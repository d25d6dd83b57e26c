#include "scion/training/step.h"

#include "scion/transducer/ctc_loss.h"
#include "scion/transducer/loss.h"

namespace scion {

StepLoss accumulate_gradients(const Transducer& model, const Batch& batch,
                              const TrainConfig& config, const Context& context) {
  const at::Device device = model.device();
  const at::Tensor tokens = batch.tokens.to(device), token_lengths = batch.token_lengths.to(device);
  const EncoderOutput encoded =
      model.encode(batch.features.to(device), batch.feature_lengths.to(device), context);

  const Joiner& joiner = model.joiner();
  const at::Tensor predicted = model.predictor().forward(tokens, context);
  const at::Tensor transducer = scion::joiner_transducer_loss(
      joiner.project_encoder(encoded.frames, context), joiner.project_predictor(predicted, context),
      joiner.weight(), joiner.bias(), tokens, encoded.lengths, token_lengths,
      {.blank = blank,
       .fast_emit = config.fast_emit,
       .delay_penalty = config.delay_penalty,
       .bf16 = context.bf16()});

  const double count = static_cast<double>(batch.ids.size());
  const at::Tensor transducer_mean = transducer.sum() / count;
  at::Tensor total = transducer_mean, ctc_mean;
  if (config.ctc_weight > 0) {
    const at::Tensor ctc = scion::ctc_loss(model.ctc_logits(encoded.frames, context), tokens,
                                           encoded.lengths, token_lengths, blank);
    ctc_mean = at::where(ctc.isinf(), at::zeros_like(ctc), ctc).sum() / count;
    total = (1 - config.ctc_weight) * transducer_mean + config.ctc_weight * ctc_mean;
  }
  total.backward();
  return {total.item<double>(), transducer_mean.item<double>(),
          ctc_mean.defined() ? ctc_mean.item<double>() : 0};
}

}  // namespace scion
