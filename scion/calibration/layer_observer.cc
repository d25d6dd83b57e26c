#include "scion/calibration/layer_observer.h"

namespace scion {

void LayerObserver::observe_linear(const at::Tensor& weight, LinearFunction function) {
  linears_[weight.unsafeGetTensorImpl()] = std::move(function);
}

void LayerObserver::observe_batch_norm(const at::Tensor& running_mean, NormFunction function) {
  norms_[running_mean.unsafeGetTensorImpl()] = std::move(function);
}

void LayerObserver::linear(const LinearMap& map, const at::Tensor& x) {
  const auto found = linears_.find(map.weights[0].unsafeGetTensorImpl());
  if (found != linears_.end()) found->second(map, x);
}

void LayerObserver::batch_norm(const at::Tensor& running_mean, const at::Tensor&,
                               const at::Tensor& x) {
  const auto found = norms_.find(running_mean.unsafeGetTensorImpl());
  if (found != norms_.end()) found->second(x);
}

}  // namespace scion
