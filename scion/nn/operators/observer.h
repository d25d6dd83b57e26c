// Observes the inputs of linear layers and batch normalisations during a forward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace scion {

/// A linear layer y = W x + b.
struct LinearMap {
  /// (O, …) each, all dimensions but the first being inputs; the inputs of several weights are
  /// concatenated in x.
  std::vector<at::Tensor> weights;
  at::Tensor bias;           ///< (O); undefined: none
  bool depthwise = false;    ///< every output has its own inputs
  at::Tensor residual = {};  ///< (…, O); defined: the layer returns residual + scale · y
  double scale = 1;
  /// The inputs of the last weight are the layer's output one step earlier.
  bool recurrent = false;
};

/// Called by the operators with each layer's input, padding included. The tensors remain owned by
/// the layers.
class InputObserver {
 public:
  virtual ~InputObserver() = default;
  /// x (…, I); for a depthwise map (…, O, I).
  virtual void linear(const LinearMap& map, const at::Tensor& x) = 0;
  /// x (…, C), about to be normalised by these running statistics (C).
  virtual void batch_norm(const at::Tensor& running_mean, const at::Tensor& running_variance,
                          const at::Tensor& x) = 0;
};

}  // namespace scion
