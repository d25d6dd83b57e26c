// The Conformer encoder (Gulati et al., 2020).
#pragma once

#include <memory>
#include <vector>

#include "scion/model/config.h"
#include "scion/model/context.h"
#include "scion/model/module.h"
#include "scion/model/subsampling.h"

namespace scion {

/// Learnt scale and shift after normalising each frame to mean 0 and deviation 1.
class LayerNorm : public Module {
 public:
  LayerNorm(const Scope& scope, const Axis& axis);
  at::Tensor forward(const at::Tensor& x) const;
  const at::Tensor& weight() const { return weight_; }
  const at::Tensor& bias() const { return bias_; }

 private:
  at::Tensor weight_, bias_;
};

/// x + ½ · FF(LayerNorm(x)): two linear maps with an activation between.
class FeedForward : public Module {
 public:
  FeedForward(const Scope& scope, const ConformerConfig& config, const Axis& residual);
  at::Tensor forward(const at::Tensor& x, const Context& context) const;

 private:
  std::string activation_;
  double dropout_;
  LayerNorm norm_;
  at::Tensor weight1_, bias1_, weight2_, bias2_;
};

/// What all layers share in a forward pass.
struct EncoderFrames {
  at::Tensor lengths;    ///< (B) int64
  at::Tensor valid;      ///< (B, T) bool
  at::Tensor sinusoids;  ///< positions = sinusoid: (2T−1, width), distance T−1 … −(T−1)
};

/// x + Attention(LayerNorm(x)), several heads, relative positions.
class Attention : public Module {
 public:
  Attention(const Scope& scope, const ConformerConfig& config, const Axis& residual,
            const Axis& frequencies);
  at::Tensor forward(const at::Tensor& x, const EncoderFrames& frames,
                     const Context& context) const;

 private:
  int64_t heads_;
  double dropout_;
  LayerNorm norm_;
  at::Tensor weight_in_, bias_in_, weight_out_, bias_out_;
  at::Tensor position_bias_;                                       // (H, distances)
  at::Tensor position_weight_, content_offset_, position_offset_;  // sinusoid only
};

/// x + Convolution(LayerNorm(x)): gated pointwise, depthwise over time, normalised, pointwise.
class ConvolutionModule : public Module {
 public:
  ConvolutionModule(const Scope& scope, const ConformerConfig& config, const Axis& residual);
  at::Tensor forward(const at::Tensor& x, const EncoderFrames& frames,
                     const Context& context) const;

 private:
  at::Tensor convolve_with_layer_norm(const at::Tensor& h, const EncoderFrames& frames) const;

  std::string activation_;
  bool batch_norm_;
  double dropout_;
  LayerNorm norm_;
  at::Tensor weight_in_, bias_in_, weight_depthwise_, bias_depthwise_;
  at::Tensor norm_weight_, norm_bias_, running_mean_, running_variance_;
  at::Tensor weight_out_, bias_out_;
};

class ConformerLayer : public Module {
 public:
  ConformerLayer(const Scope& scope, const ConformerConfig& config, const Axis& residual,
                 const Axis& frequencies);
  at::Tensor forward(const at::Tensor& x, const EncoderFrames& frames,
                     const Context& context) const;

 private:
  FeedForward feed_forward1_;
  Attention attention_;
  ConvolutionModule convolution_;
  FeedForward feed_forward2_;
  LayerNorm norm_;
};

class ConformerEncoder : public Module {
 public:
  ConformerEncoder(const Scope& scope, const ConformerConfig& config, int64_t bins);

  const Axis& output_axis() const { return residual_; }
  const Conv2dSubsampling& subsampling() const { return subsampling_; }
  /// Normalised features (B, T, F) with encoder lengths (B) → (B, T', width).
  at::Tensor forward(const at::Tensor& features, const at::Tensor& encoder_lengths,
                     const Context& context) const;

 private:
  EncoderFrames prepare_frames(const at::Tensor& lengths, int64_t frames) const;

  ConformerConfig config_;
  Axis residual_, frequencies_axis_;
  Conv2dSubsampling subsampling_;
  at::Tensor frequencies_;  // sinusoid only: (width / 2)
  std::vector<ConformerLayer> layers_;
};

}  // namespace scion
