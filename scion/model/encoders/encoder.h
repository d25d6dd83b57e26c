// Base of all encoders: subsampling, then layers; over whole utterances and over streams.
#pragma once

#include <memory>

#include "scion/model/encoders/subsampling.h"
#include "scion/nn/module.h"
#include "scion/nn/operators/forward_context.h"

namespace scion {

/// An encoder's layers over one utterance that arrives in pieces, with their state.
class EncoderStream {
 public:
  virtual ~EncoderStream() = default;
  /// The next subsampled frames (1, T, width) → their output (1, T, width). T is a multiple of the
  /// encoder's chunk_frames(), except in the last call.
  virtual at::Tensor accept(const at::Tensor& x) = 0;
};

class Encoder : public Module {
 public:
  virtual ~Encoder() = default;

  const Subsampling& subsampling() const { return *subsampling_; }
  virtual const Axis& output_axis() const = 0;
  /// Subsampled frames (B, T, width), the first lengths (B) of them valid, at least 1 each →
  /// (B, T, width).
  virtual at::Tensor forward(at::Tensor x, const at::Tensor& lengths,
                             const ForwardContext& context) const = 0;

  /// Encoder frames of `feature_frames`; 0 when there are too few.
  virtual int64_t frames_out(int64_t feature_frames) const {
    return subsampling_->frames_out(feature_frames);
  }
  /// The same for lengths (B) int64 → (B) int64 on the same device.
  virtual at::Tensor lengths_out(const at::Tensor& lengths) const {
    return subsampling_->lengths_out(lengths);
  }
  /// The fewest feature frames that can be encoded.
  virtual int64_t minimum_frames() const { return subsampling_->minimum_frames(); }

  /// Frames that a stream takes at once.
  virtual int64_t chunk_frames() const = 0;
  /// For evaluation; equal to forward(). UserError for an encoder that needs the whole utterance.
  /// The encoder must outlive the stream.
  virtual std::unique_ptr<EncoderStream> stream(const ForwardContext& context) const = 0;

 protected:
  using Module::Module;
  std::unique_ptr<Subsampling> subsampling_;
};

}  // namespace scion
