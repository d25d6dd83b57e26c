// The Conformer encoder (Gulati et al., 2020).
#pragma once

#include <memory>
#include <vector>

#include "scion/model/encoders/encoder.h"
#include "scion/nn/functional.h"
#include "scion/nn/layer_norm.h"

namespace scion {

/// x + ½ · FF(LayerNorm(x)): two linear maps with an activation between.
class FeedForward : public Module {
 public:
  FeedForward(const Scope& scope, const ConformerConfig& config, const Axis& residual);
  at::Tensor forward(const at::Tensor& x, const ForwardContext& context) const;

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

/// What attention remembers of a stream: (1, H, T, d) each.
struct AttentionHistory {
  at::Tensor key, value;
};

/// x + Attention(LayerNorm(x)), several heads, relative positions.
class Attention : public Module {
 public:
  Attention(const Scope& scope, const ConformerConfig& config, const Axis& residual,
            const Axis& frequencies);
  at::Tensor forward(const at::Tensor& x, const EncoderFrames& frames,
                     const ForwardContext& context) const;
  AttentionHistory start() const;
  /// The next chunk (1, T, width) of a stream; sinusoids for the distances from the oldest frame
  /// remembered to −(T − 1).
  at::Tensor step(const at::Tensor& x, AttentionHistory& history, const at::Tensor& sinusoids,
                  const ForwardContext& context) const;

 private:
  int64_t heads_;
  double dropout_;
  AttentionSpan span_;
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
                     const ForwardContext& context) const;
  /// The frames (1, T, channels) before a stream's first.
  at::Tensor start() const;
  /// The next chunk (1, T, width) of a stream.
  at::Tensor step(const at::Tensor& x, at::Tensor& history, const ForwardContext& context) const;

 private:
  at::Tensor convolve_with_layer_norm(const at::Tensor& h, const EncoderFrames& frames) const;
  at::Tensor layer_norm(const at::Tensor& y) const;
  // What enters the depthwise convolution.
  at::Tensor gate(const at::Tensor& h, const EncoderFrames& frames) const;
  void show_inputs(const at::Tensor& x, const at::Tensor& h, const EncoderFrames& frames,
                   InputObserver& observer) const;

  std::string activation_;
  bool batch_norm_;
  ConvolutionReach reach_;
  double dropout_;
  LayerNorm norm_;
  at::Tensor weight_in_, bias_in_, weight_depthwise_, bias_depthwise_;
  at::Tensor norm_weight_, norm_bias_, running_mean_, running_variance_;
  at::Tensor weight_out_, bias_out_;
};

/// What a layer remembers of a stream.
struct ConformerHistory {
  AttentionHistory attention;
  at::Tensor convolution;
};

class ConformerLayer : public Module {
 public:
  ConformerLayer(const Scope& scope, const ConformerConfig& config, const Axis& residual,
                 const Axis& frequencies);
  at::Tensor forward(const at::Tensor& x, const EncoderFrames& frames,
                     const ForwardContext& context) const;
  ConformerHistory start() const { return {attention_.start(), convolution_.start()}; }
  at::Tensor step(const at::Tensor& x, ConformerHistory& history, const at::Tensor& sinusoids,
                  const ForwardContext& context) const;

 private:
  FeedForward feed_forward1_;
  Attention attention_;
  ConvolutionModule convolution_;
  FeedForward feed_forward2_;
  LayerNorm norm_;
};

/// Streams where frames come in chunks and the convolution does not see beyond them.
class ConformerEncoder : public Encoder {
 public:
  ConformerEncoder(const Scope& scope, const ConformerConfig& config, int64_t bins);

  const Axis& output_axis() const override { return residual_; }
  at::Tensor forward(const at::Tensor& x, const at::Tensor& lengths,
                     const ForwardContext& context) const override;
  int64_t chunk_frames() const override { return config_.chunk; }
  std::unique_ptr<EncoderStream> stream(const ForwardContext& context) const override;

 private:
  class Stream;
  EncoderFrames prepare_frames(const at::Tensor& lengths, int64_t frames) const;
  // (past + future + 1, width) for the distances past … −future; undefined with learnt biases.
  at::Tensor sinusoids(int64_t past, int64_t future) const;
  at::Tensor scaled(const at::Tensor& x) const;

  ConformerConfig config_;
  Axis residual_, frequencies_axis_;
  at::Tensor frequencies_;  // sinusoid only: (width / 2)
  std::vector<ConformerLayer> layers_;
};

}  // namespace scion
