// Observation of chosen layers during a forward pass.
#pragma once

#include <functional>
#include <unordered_map>

#include "scion/nn/operators/observer.h"

namespace scion {

/// Calls functions with the inputs of the layers that were named; ignores all others.
class LayerObserver : public InputObserver {
 public:
  using LinearFunction = std::function<void(const LinearMap& map, const at::Tensor& x)>;
  using NormFunction = std::function<void(const at::Tensor& x)>;

  /// The linear layer whose first weight is `weight`.
  void observe_linear(const at::Tensor& weight, LinearFunction function);
  /// The batch normalisation with this running mean.
  void observe_batch_norm(const at::Tensor& running_mean, NormFunction function);

  void linear(const LinearMap& map, const at::Tensor& x) override;
  void batch_norm(const at::Tensor& running_mean, const at::Tensor& running_variance,
                  const at::Tensor& x) override;

 private:
  std::unordered_map<const void*, LinearFunction> linears_;  // by the tensor's address
  std::unordered_map<const void*, NormFunction> norms_;
};

}  // namespace scion
