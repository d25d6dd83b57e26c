// The whole recogniser: features → encoder, labels → predictor, both → joiner.
#pragma once

#include <memory>
#include <optional>

#include "scion/audio/speech_features.h"
#include "scion/model/config.h"
#include "scion/model/encoders/encoder.h"
#include "scion/model/joiner.h"
#include "scion/model/predictor.h"
#include "scion/nn/module.h"
#include "scion/nn/operators/forward_context.h"

namespace scion {

/// Label 0 is blank, inside the vocabulary size, in every model.
inline constexpr int64_t blank = 0;

struct EncoderOutput {
  at::Tensor frames;  ///< (B, T', width)
  /// (B) int64, encoder frames; 0 for an utterance that is too short. On the device of the
  /// features' lengths: kept on the CPU, reading them does not synchronise the GPU.
  at::Tensor lengths;
};

class Transducer {
 public:
  /// With weights that are zero or one. On the device `meta` it has shapes and no memory.
  Transducer(const ModelConfig& config, int64_t vocabulary, at::Device device = at::kCPU);

  const ModelConfig& config() const { return config_; }
  int64_t vocabulary() const { return vocabulary_; }
  Registry& registry() { return registry_; }
  const Registry& registry() const { return registry_; }
  const Encoder& encoder() const { return *encoder_; }
  const Predictor& predictor() const { return *predictor_; }
  const Joiner& joiner() const { return *joiner_; }

  /// Features (B, T, F) as the front end gives them (normalised here), lengths (B) int64 in frames:
  /// preferably on the CPU, wherever the features are.
  EncoderOutput encode(const at::Tensor& features, const at::Tensor& lengths,
                       const ForwardContext& context) const;
  /// encode() in two steps, between which the features can be dropped: features → subsampled frames
  /// (B, T', width), at least one …
  at::Tensor subsample(const at::Tensor& features, const at::Tensor& lengths,
                       const ForwardContext& context) const;
  /// … → encoder output; `lengths` are those of the features.
  EncoderOutput encode_subsampled(at::Tensor subsampled, const at::Tensor& lengths,
                                  const ForwardContext& context) const;
  /// CTC logits (B, T', V) of encoder frames; only with config().ctc.
  at::Tensor ctc_logits(const at::Tensor& frames, const ForwardContext& context) const;
  /// The two terms of the simple joiner: logits (B, T', V) of encoder frames and (B, U+1, V) of the
  /// predictor's output; only with config().simple_joiner.
  std::pair<at::Tensor, at::Tensor> simple_logits(const at::Tensor& frames,
                                                  const at::Tensor& predicted,
                                                  const ForwardContext& context) const;
  /// Encoder frames of `feature_frames`.
  int64_t frames_out(int64_t feature_frames) const { return encoder_->frames_out(feature_frames); }

  /// Features (B, T, F) as the front end gives them → normalised.
  at::Tensor normalise(const at::Tensor& features, const at::Tensor& lengths) const;
  /// Statistics of the training data, used with features.normalisation = "global".
  void set_normalisation(const FeatureStatistics& statistics);
  const at::Tensor& feature_mean() const { return feature_mean_; }

  void to(at::Device device);
  at::Device device() const { return feature_mean_.device(); }

 private:
  ModelConfig config_;
  int64_t vocabulary_;
  Registry registry_;
  at::Tensor feature_mean_, feature_deviation_;
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Predictor> predictor_;
  std::unique_ptr<Joiner> joiner_;
  Linear ctc_, simple_encoder_, simple_predictor_;
};

/// Trainable weights of a model with this vocabulary (blank included). Allocates none of them.
int64_t parameter_count(const ModelConfig& config, int64_t vocabulary);

}  // namespace scion
