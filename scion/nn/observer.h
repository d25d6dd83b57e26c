// What layers show of themselves: the inputs of linear maps and of batch normalisations.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace scion {

/// y = W x + b, as a layer has it.
struct LinearMap {
  /// (O, …) each, all dimensions but the first being inputs; of several, the inputs follow each
  /// other in x.
  std::vector<at::Tensor> weights;
  at::Tensor bias;           ///< (O); undefined: none
  bool depthwise = false;    ///< every output has inputs of its own
  at::Tensor residual = {};  ///< (…, O), where the layer goes on with residual + scale · y
  double scale = 1;
  /// The inputs of the last weight are what the layer gave one step earlier.
  bool recurrent = false;
};

/// Is shown what a forward pass computes with, padding included. The layers keep the tensors.
class InputObserver {
 public:
  virtual ~InputObserver() = default;
  /// x (…, I); of a depthwise map (…, O, I).
  virtual void linear(const LinearMap& map, const at::Tensor& x) = 0;
  /// x (…, C), about to be normalised by these running statistics (C).
  virtual void batch_norm(const at::Tensor& running_mean, const at::Tensor& running_variance,
                          const at::Tensor& x) = 0;
};

}  // namespace scion
