// What every encoder is: subsampling, then layers; over whole utterances, and over streams.
#pragma once

#include <memory>

#include "scion/model/config.h"
#include "scion/model/encoders/subsampling.h"
#include "scion/nn/forward_context.h"
#include "scion/nn/module.h"

namespace scion {

/// An encoder's layers over one utterance that arrives in pieces, with what they remember of it.
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
  /// Subsampled frames (B, T, width), of which lengths (B) count, at least 1 each → (B, T, width).
  virtual at::Tensor forward(const at::Tensor& x, const at::Tensor& lengths,
                             const ForwardContext& context) const = 0;

  /// Frames that a stream takes at once.
  virtual int64_t chunk_frames() const = 0;
  /// For evaluation; gives what forward() gives. UserError for an encoder that needs to see the
  /// whole utterance. The encoder must outlive it.
  virtual std::unique_ptr<EncoderStream> stream(const ForwardContext& context) const = 0;

 protected:
  using Module::Module;
  std::unique_ptr<Subsampling> subsampling_;
};

/// The kind that config.encoder names.
std::unique_ptr<Encoder> make_encoder(const Scope& scope, const ModelConfig& config);

}  // namespace scion
