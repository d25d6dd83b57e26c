#include "scion/model/transducer.h"

#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/model/encoders/conformer.h"
#include "scion/model/encoders/lstm_encoder.h"
#include "scion/nn/operators/functional.h"
#include "scion/nn/operators/time_blocks.h"

namespace scion {

Transducer::Transducer(const ModelConfig& config, int64_t vocabulary, at::Device device)
    : config_(config), vocabulary_(vocabulary), registry_(device) {
  config_.validate();
  const Scope root(registry_);
  const int64_t columns = config.features.columns();
  feature_mean_ = registry_.add("features.mean", {Axis::fixed(columns)}, init::zero, false);
  feature_deviation_ =
      registry_.add("features.deviation", {Axis::fixed(columns)}, init::one, false);
  encoder_ = config.visit_encoder(
      [&](const auto& encoder) { return make_encoder(root / "encoder", encoder, columns); });
  predictor_ = make_predictor(root / "predictor", config, vocabulary);
  joiner_ = std::make_unique<Joiner>(root / "joiner", encoder_->output_axis(),
                                     predictor_->output_axis(), config.joiner_width, vocabulary,
                                     config.joiner_activation, config.durations);
  const Axis labels = Axis::labels(vocabulary);
  if (config.ctc) ctc_ = root.make_linear("ctc", {labels, encoder_->output_axis()});
  if (config.simple_joiner) {
    simple_encoder_ = root.make_linear("simple_joiner.encoder", {labels, encoder_->output_axis()});
    simple_predictor_ =
        root.make_linear("simple_joiner.predictor", {labels, predictor_->output_axis()});
  }
}

at::Tensor Transducer::normalise(const at::Tensor& features, const at::Tensor& lengths) const {
  const FeatureNormalisation kind = config_.features.normalisation;
  if (kind == FeatureNormalisation::none) return features;
  if (kind == FeatureNormalisation::global) return (features - feature_mean_) / feature_deviation_;
  return normalise_utterances(features, lengths);
}

at::Tensor Transducer::subsample(const at::Tensor& features, const at::Tensor& lengths,
                                 const ForwardContext& context) const {
  const int64_t missing = encoder_->minimum_frames() - features.size(1);
  if (missing > 0) {
    const at::Tensor x = normalise(features, upload(lengths, features.device()));
    return encoder_->subsampling().forward(at::constant_pad_nd(x, {0, 0, 0, missing}), lengths,
                                           context);
  }
  const Subsampling& subsampling = encoder_->subsampling();
  // A block needs the statistics of its whole utterance.
  std::optional<UtteranceStatistics> whole;
  const int64_t most = block_frames(features, subsampling.floats_per_frame(), context);
  if (most < features.size(1) && config_.features.normalisation == FeatureNormalisation::utterance)
    whole = utterance_statistics(features, upload(lengths, features.device()), most);
  return subsampling.forward_in_blocks(
      features, lengths, context, [&](const at::Tensor& block) -> at::Tensor {
        if (whole) return (block - whole->mean) / whole->deviation;
        return normalise(block, upload(lengths, features.device()));
      });
}

EncoderOutput Transducer::encode_subsampled(at::Tensor subsampled, const at::Tensor& lengths,
                                            const ForwardContext& context) const {
  // Attention needs at least one valid frame, even if an utterance has none.
  const at::Tensor valid =
      upload(encoder_->subsampling().lengths_out(lengths).clamp_min(1), subsampled.device());
  return {encoder_->forward(std::move(subsampled), valid, context), encoder_->lengths_out(lengths)};
}

EncoderOutput Transducer::encode(const at::Tensor& features, const at::Tensor& lengths,
                                 const ForwardContext& context) const {
  return encode_subsampled(subsample(features, lengths, context), lengths, context);
}

at::Tensor Transducer::ctc_logits(const at::Tensor& frames, const ForwardContext& context) const {
  TORCH_CHECK(config_.ctc, "the model has no CTC head");
  return linear(frames, ctc_, context);
}

std::pair<at::Tensor, at::Tensor> Transducer::simple_logits(const at::Tensor& frames,
                                                            const at::Tensor& predicted,
                                                            const ForwardContext& context) const {
  TORCH_CHECK(config_.simple_joiner, "the model has no simple joiner");
  return {linear(frames, simple_encoder_, context), linear(predicted, simple_predictor_, context)};
}

void Transducer::set_normalisation(const FeatureStatistics& statistics) {
  const at::NoGradGuard no_grad;
  feature_mean_.copy_(statistics.mean);
  feature_deviation_.copy_(statistics.deviation.clamp_min(1e-5));
}

void Transducer::to(at::Device device) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : registry_.all())
    parameter.tensor.unsafeGetTensorImpl()->shallow_copy_from(
        parameter.tensor.to(device).getIntrusivePtr());
}

int64_t parameter_count(const ModelConfig& config, int64_t vocabulary) {
  return Transducer(config, vocabulary, at::kMeta).registry().parameter_count();
}

}  // namespace scion
