// What a model is made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scion/audio/fbank.h"
#include "scion/text/normalisation.h"

namespace scion {

class Options;

/// Conformer (Gulati et al., 2020); with subsampling 8, FastConformer (Rekesh et al., 2023).
struct ConformerConfig {
  int64_t width = 96;  ///< of the residual stream
  int64_t layers = 2;
  int64_t heads = 4;
  int64_t head_width = 24;  ///< of queries, keys and values
  int64_t feed_forward = 384;
  int64_t kernel = 15;      ///< taps of the depthwise convolution, odd
  int64_t subsampling = 6;  ///< feature frames an encoder frame: 4, 6 or 8, see subsampling.h
  int64_t subsampling_channels = 8;
  bool input_scaling = false;  ///< subsampled frames times √width
  int64_t chunk = 0;           ///< encoder frames that are seen at once; 0: the whole utterance
  int64_t left_context = 64;   ///< chunk > 0: encoder frames that attention sees before the chunk
  std::string convolution = "centred";     ///< centred, causal, chunked: see ConvolutionReach
  std::string convolution_norm = "batch";  ///< batch, layer
  std::string positions = "bias";   ///< bias (per head and distance), sinusoid (Dai et al., 2019)
  int64_t position_range = 16;      ///< bias: farther distances share one value, frames
  std::string activation = "relu";  ///< relu, swish
  double dropout = 0.1;

  void declare(Options& options);
};

/// Long short-term memory over subsampled frames.
struct LstmConfig {
  int64_t width = 256;  ///< of the residual stream
  int64_t layers = 4;
  int64_t hidden = 512;  ///< memory cells of a layer
  int64_t subsampling = 4;
  int64_t subsampling_channels = 16;
  double dropout = 0.1;

  void declare(Options& options);
};

struct ModelConfig {
  std::string encoder = "conformer";  ///< conformer, lstm
  ConformerConfig conformer;
  LstmConfig lstm;
  std::string predictor = "stateless";  ///< stateless, lstm
  int64_t predictor_width = 64;
  int64_t predictor_layers = 1;   ///< of an LSTM predictor
  int64_t predictor_context = 2;  ///< labels the stateless predictor sees
  int64_t joiner_width = 64;
  bool ctc = true;             ///< an auxiliary CTC head on the encoder
  bool simple_joiner = false;  ///< heads of the pruned loss's first pass, for training only
  FeatureConfig features;
  NormalisationConfig text;  ///< what is done to texts before they are learnt or compared

  void declare(Options& options);
  /// Feature frames in an encoder frame.
  int64_t subsampling() const;
  /// UserError when values do not fit together.
  void validate() const;
};

/// Named configurations; UserError with the nearest name for an unknown one.
ModelConfig preset(const std::string& name);
std::vector<std::string> preset_names();

}  // namespace scion
