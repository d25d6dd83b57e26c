// Options of the Conformer encoder.
#pragma once

#include <cstdint>

#include "scion/core/option_words.h"
#include "scion/model/encoders/subsampling_config.h"
#include "scion/nn/cpu/activation.h"

namespace scion {

class Options;

/// Frames that a convolution sees: on both sides, up to its own, up to its chunk's last.
enum class ConvolutionKind { centred, causal, chunked };
template <>
inline constexpr std::array option_words<ConvolutionKind>{"centred", "causal", "chunked"};

/// Normalisation in the convolution module.
enum class ConvolutionNorm { batch, layer };
template <>
inline constexpr std::array option_words<ConvolutionNorm>{"batch", "layer"};

/// Relative positions: a learnt bias per head and distance, or sinusoids (Dai et al., 2019).
enum class RelativePositions { bias, sinusoid };
template <>
inline constexpr std::array option_words<RelativePositions>{"bias", "sinusoid"};

template <>
inline constexpr std::array option_words<Activation>{"none", "relu", "swish"};

/// Conformer (Gulati et al., 2020); with subsampling 8, FastConformer (Rekesh et al., 2023).
struct ConformerConfig {
  int64_t width = 96;  ///< of the residual stream
  int64_t layers = 2;
  int64_t heads = 4;
  int64_t head_width = 24;  ///< of queries, keys and values
  int64_t feed_forward = 384;
  int64_t kernel = 15;      ///< taps of the depthwise convolution, odd
  int64_t subsampling = 6;  ///< feature frames per encoder frame: 4, 6 or 8, see subsampling.h
  SubsamplingKind subsampling_kind = SubsamplingKind::automatic;
  bool causal_subsampling = false;  ///< a frame sees no feature frame after its first
  int64_t subsampling_channels = 8;
  /// Of the layers' linear maps and convolutions; without, they are zero and not trained.
  bool biases = true;
  bool input_scaling = false;  ///< multiplies subsampled frames by √width
  int64_t chunk = 0;           ///< encoder frames processed at once; 0: the whole utterance
  int64_t left_context = 64;   ///< chunk > 0: encoder frames that attention sees before the chunk
  ConvolutionKind convolution = ConvolutionKind::centred;
  ConvolutionNorm convolution_norm = ConvolutionNorm::batch;
  RelativePositions positions = RelativePositions::bias;
  int64_t position_range = 16;               ///< bias: farther distances share one value, frames
  Activation activation = Activation::relu;  ///< relu, swish
  double dropout = 0.1;

  void declare(Options& options);
  /// UserError when values do not fit together.
  void validate() const;

  /// Feature frames per encoder frame.
  int64_t frame_factor() const { return subsampling; }
  /// Square of the factor of the subsampled frames before the first layer.
  int64_t squared_input_scale() const { return input_scaling ? width : 1; }
};

}  // namespace scion
