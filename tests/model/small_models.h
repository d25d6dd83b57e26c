// Models small enough for tests, whose random weights hide no error: no zero biases, no unit
// scales.
#pragma once

#include "scion/model/transducer.h"

namespace scion::testing {

inline ModelConfig small_config(const std::string& positions = "bias",
                                const std::string& norm = "batch", int64_t subsampling = 4) {
  ModelConfig config;
  config.conformer = {.width = 16,
                      .layers = 2,
                      .heads = 2,
                      .head_width = 6,
                      .feed_forward = 24,
                      .kernel = 5,
                      .subsampling = subsampling,
                      .subsampling_channels = 3,
                      .convolution_norm = enum_of<ConvolutionNorm>(norm).value(),
                      .positions = enum_of<RelativePositions>(positions).value(),
                      .position_range = 4,
                      .activation = Activation::swish,
                      .dropout = 0.1};
  config.predictor_width = 10;
  config.joiner_width = 12;
  config.features.bins = 20;
  return config;
}

/// Models of other kinds than small_config()'s: causal, chunked, fast, fast_causal, lstm, tdt, and
/// two of NeMo's: striding, depthwise_causal.
inline ModelConfig small_config_of_kind(const std::string& kind) {
  const bool fast = kind.starts_with("fast");
  ModelConfig config = fast                ? small_config("sinusoid", "batch", 8)
                       : kind == "chunked" ? small_config("sinusoid", "layer", 6)
                                           : small_config("bias", "batch", 4);
  if (fast) {
    config.conformer.input_scaling = true;
    config.predictor = PredictorKind::lstm;
  }
  if (kind.ends_with("causal") || kind == "chunked") {
    config.conformer.chunk = 3;
    config.conformer.left_context = 4;
    config.conformer.convolution =
        kind == "chunked" ? ConvolutionKind::chunked : ConvolutionKind::causal;
  }
  if (kind == "striding" || kind == "depthwise_causal") {
    config.conformer.positions = RelativePositions::sinusoid;
    config.conformer.convolution_norm = ConvolutionNorm::layer;
    config.conformer.subsampling_kind =
        kind == "striding" ? SubsamplingKind::striding : SubsamplingKind::depthwise_striding;
    config.conformer.causal_subsampling = kind == "depthwise_causal";
    config.conformer.biases = kind == "depthwise_causal";
    config.joiner_activation = JoinerActivation::relu;
    config.predictor = PredictorKind::lstm;
    config.predictor_layers = 2;
  }
  if (kind == "tdt") config.durations = {0, 1, 2, 4};
  config.simple_joiner = kind == "lstm" || kind == "chunked";
  if (kind == "lstm") {
    config.encoder = EncoderKind::lstm;
    config.lstm = {
        .width = 16, .layers = 2, .hidden = 12, .subsampling = 6, .subsampling_channels = 3};
    config.predictor = PredictorKind::lstm;
    config.predictor_layers = 2;
  }
  return config;
}

/// Every parameter and buffer gets random values; variances stay positive.
inline void randomise(Transducer& model, uint64_t seed) {
  const at::NoGradGuard no_grad;
  at::manual_seed(seed);
  for (const Parameter& parameter : model.registry().all()) {
    if (parameter.init.kind == Init::Kind::position_table) continue;
    const bool positive = parameter.name.find("variance") != std::string::npos ||
                          parameter.name.find("deviation") != std::string::npos;
    parameter.tensor.normal_(0, 0.3);
    if (positive) parameter.tensor.abs_().add_(0.5);
    if (parameter.init.kind == Init::Kind::one) parameter.tensor.add_(1);
  }
}

}  // namespace scion::testing
