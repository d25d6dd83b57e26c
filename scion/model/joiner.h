// The additive joiner: logits(t, u) = W f(P_e encoder(t) + P_p predictor(u)) + b, of tokens and,
// in a token-and-duration transducer, of durations.
#pragma once

#include <utility>
#include <vector>

#include "scion/loss/lattice/types.h"
#include "scion/nn/module.h"
#include "scion/nn/operators/forward_context.h"

namespace scion {

class Joiner : public Module {
 public:
  /// `durations` as in ModelConfig
  Joiner(const Scope& scope, const Axis& encoder, const Axis& predictor, int64_t width,
         int64_t vocabulary, JoinerActivation activation,
         const std::vector<int64_t>& durations = {});

  /// (…, encoder width) → (…, joiner width)
  at::Tensor project_encoder(const at::Tensor& x, const ForwardContext& context) const;
  /// (…, predictor width) → (…, joiner width)
  at::Tensor project_predictor(const at::Tensor& x, const ForwardContext& context) const;
  /// Inputs of the joiner's losses: projections of the encoder's output (B, T, encoder width) and
  /// the predictor's (B, U+1, predictor width), with weight and bias of the logits; durations last.
  JoinerInputs inputs(const at::Tensor& encoded, const at::Tensor& predicted,
                      const ForwardContext& context) const;
  /// Token logits (…, V) of two projections that broadcast against each other.
  at::Tensor logits(const at::Tensor& encoder, const at::Tensor& predictor) const;
  /// The same, and those of durations (…, durations).
  std::pair<at::Tensor, at::Tensor> token_and_duration_logits(const at::Tensor& encoder,
                                                              const at::Tensor& predictor) const;

  /// f of a sum of projections, any shape.
  at::Tensor activate(const at::Tensor& sums) const;

  const Linear& output() const { return output_; }  ///< (V, joiner width) and (V)
  /// (durations, joiner width) and (durations); undefined in an RNN-T
  const Linear& durations() const { return durations_; }
  JoinerActivation activation() const { return activation_; }
  /// (joiner width, predictor width)
  const Linear& predictor_projection() const { return predictor_projection_; }

 private:
  JoinerActivation activation_;
  Linear encoder_projection_, predictor_projection_, output_;
  Linear durations_;  // undefined in an RNN-T
};

}  // namespace scion
