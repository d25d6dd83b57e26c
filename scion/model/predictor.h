// The stateless predictor (Ghodsi et al., 2020): the last labels, embedded, and mixed by a
// convolution.
#pragma once

#include "scion/model/context.h"
#include "scion/model/module.h"

namespace scion {

class StatelessPredictor : public Module {
 public:
  StatelessPredictor(const Scope& scope, int64_t vocabulary, int64_t width, int64_t context_labels);

  const Axis& output_axis() const { return width_; }
  int64_t context_labels() const { return context_labels_; }
  /// Labels (B, U) → (B, U+1, width): row u has seen the labels before position u, blanks before
  /// the first.
  at::Tensor forward(const at::Tensor& tokens, const Context& context) const;
  /// The last labels (B, context_labels), oldest first → (B, width).
  at::Tensor step(const at::Tensor& last_labels, const Context& context) const;

 private:
  at::Tensor mix(const at::Tensor& labels, const Context& context) const;

  Axis width_;
  int64_t context_labels_;
  at::Tensor embedding_, weight_, bias_;
};

}  // namespace scion
