// The Conformer encoder (Gulati et al., 2020).
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "scion/model/encoders/conformer_config.h"
#include "scion/model/encoders/encoder.h"
#include "scion/nn/operators/functional.h"
#include "scion/nn/operators/long_attention.h"

namespace scion {

/// x + ½ · FF(LayerNorm(x)): two linear maps with an activation between.
class FeedForward : public Module {
 public:
  FeedForward(const Scope& scope, const ConformerConfig& config, const Axis& residual);
  at::Tensor forward(const at::Tensor& x, const ForwardContext& context) const;

 private:
  Activation activation_;
  double dropout_;
  LayerNorm norm_;
  Linear linear1_, linear2_;
};

/// Frames and positions of a forward pass, the same for all layers.
struct EncoderFrames {
  at::Tensor lengths;  ///< (B) int64
  /// positions = sinusoid: (width / 2), else undefined.
  at::Tensor frequencies;
  /// positions = sinusoid: (2T−1, width), distance T−1 … −(T−1); undefined where attention is
  /// computed in bands or blocks.
  at::Tensor sinusoids;
};

/// Past frames of a stream that attention sees: (1, H, T, d) each.
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
  /// Whether forward() keeps to context.working_bytes, and does without frames.sinusoids.
  bool is_long(const at::Tensor& x, const ForwardContext& context) const;
  AttentionHistory start() const;
  /// The next chunk (1, T, width) of a stream; sinusoids for the distances from the oldest frame
  /// kept to −(T − 1).
  at::Tensor step(const at::Tensor& x, AttentionHistory& history, const at::Tensor& sinusoids,
                  const ForwardContext& context) const;

 private:
  at::Tensor attend_whole(const at::Tensor& x, const EncoderFrames& frames,
                          const ForwardContext& context) const;
  // Chunk by chunk of a limited view; head by head of an unlimited one.
  at::Tensor attend_chunks(const at::Tensor& x, const EncoderFrames& frames,
                           const ForwardContext& context) const;
  at::Tensor attend_bands(const at::Tensor& x, const EncoderFrames& frames,
                          const ForwardContext& context) const;
  at::Tensor attend_head(const at::Tensor& x, int64_t head, const EncoderFrames& frames,
                         const ForwardContext& context) const;
  LongPositions head_positions(int64_t head, int64_t frames, const at::Tensor& frequencies,
                               const ForwardContext& context) const;

  int64_t heads_;
  double dropout_;
  AttentionSpan span_;
  LayerNorm norm_;
  Linear in_, out_;
  at::Tensor position_bias_;                     // (H, distances)
  Linear position_;                              // sinusoid only, as the next two
  at::Tensor content_offset_, position_offset_;  // (H · d)
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
  Activation activation_;
  double dropout_;
  LayerNorm norm_;
  Linear in_, out_;
  Convolution depthwise_;
  std::variant<BatchNorm, LayerNorm> convolution_norm_;
};

/// A layer's past of a stream.
struct ConformerHistory {
  AttentionHistory attention;
  at::Tensor convolution;
};

class ConformerLayer : public Module {
 public:
  ConformerLayer(const Scope& scope, const ConformerConfig& config, const Axis& residual,
                 const Axis& frequencies);
  at::Tensor forward(at::Tensor x, const EncoderFrames& frames,
                     const ForwardContext& context) const;
  bool is_long(const at::Tensor& x, const ForwardContext& context) const {
    return attention_.is_long(x, context);
  }
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

/// Can stream if it is computed in chunks and the convolution does not see beyond them.
class ConformerEncoder : public Encoder {
 public:
  ConformerEncoder(const Scope& scope, const ConformerConfig& config, int64_t bins);

  const Axis& output_axis() const override { return residual_; }
  at::Tensor forward(at::Tensor x, const at::Tensor& lengths,
                     const ForwardContext& context) const override;
  int64_t chunk_frames() const override { return config_.chunk; }
  std::unique_ptr<EncoderStream> stream(const ForwardContext& context) const override;

 private:
  class Stream;
  EncoderFrames prepare_frames(const at::Tensor& x, const at::Tensor& lengths,
                               const ForwardContext& context) const;
  at::Tensor scaled(const at::Tensor& x) const;

  ConformerConfig config_;
  Axis residual_, frequencies_axis_;
  at::Tensor frequencies_;  // (width / 2); undefined with learnt biases
  std::vector<ConformerLayer> layers_;
};

std::unique_ptr<Encoder> make_encoder(const Scope& scope, const ConformerConfig& config,
                                      int64_t bins);

}  // namespace scion
