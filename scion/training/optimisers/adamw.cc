#include "scion/training/optimisers/adamw.h"

#include "scion/core/device.h"
#include "scion/core/options.h"

namespace scion {

void AdamWConfig::declare(Options& options) {
  options.add("beta1", beta1, "decay of the gradient's running mean").range(0, 1);
  options.add("beta2", beta2, "decay of the squared gradient's running mean").range(0, 1);
  options.add("weight_decay", weight_decay, "weight decay of matrices and kernels").range(0, 1);
  options.add("clip_norm", clip_norm, "gradients are scaled down to this norm; 0: never")
      .range(0, 1e6);
}

AdamW::AdamW(const Registry& registry, const AdamWConfig& config,
             const std::set<std::string>& copied, bool anchored)
    : config_(config) {
  for (const bool is_copied : {false, true})
    for (const bool decays : {true, false})
      groups_.push_back({.copied = is_copied, .decays = decays});
  for (const Parameter& parameter : registry.all()) {
    if (!parameter.trainable) continue;
    const bool is_copied = copied.count(parameter.name) > 0;
    Group& group = groups_[2 * is_copied + (parameter.tensor.dim() > 1 ? 0 : 1)];
    group.names.push_back(parameter.name);
    group.parameters.push_back(parameter.tensor);
    group.first_moments.push_back(at::zeros_like(parameter.tensor).detach());
    group.second_moments.push_back(at::zeros_like(parameter.tensor).detach());
    group.steps.push_back(at::zeros({}, parameter.tensor.options().requires_grad(false)));
    if (is_copied && anchored) group.anchors.push_back(parameter.tensor.detach().clone());
  }
  std::erase_if(groups_, [](const Group& group) { return group.names.empty(); });
}

std::vector<at::Tensor> AdamW::gradients(const Group& group) const {
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : group.parameters) {
    if (!parameter.grad().defined()) parameter.mutable_grad() = at::zeros_like(parameter);
    gradients.push_back(parameter.grad());
  }
  return gradients;
}

void AdamW::update(Group& group, const std::vector<at::Tensor>& gradients,
                   const UpdateRates& rates) {
  const bool anchored = rates.anchor > 0 && !group.anchors.empty();
  if (anchored) at::_foreach_lerp_(group.parameters, group.anchors, at::Scalar(rates.anchor));
  at::_foreach_add_(group.steps, at::Scalar(1));
  at::_fused_adamw_(group.parameters, gradients, group.first_moments, group.second_moments, {},
                    group.steps, group.copied ? rates.copied_lr : rates.lr, config_.beta1,
                    config_.beta2, group.decays && !anchored ? config_.weight_decay : 0, 1e-8,
                    false, false);
}

void AdamW::clear_gradients(const std::vector<std::vector<at::Tensor>>& all) {
  for (size_t g = 0; g < groups_.size(); ++g) {
    if (groups_[g].parameters.front().is_cpu()) {
      at::_foreach_zero_(all[g]);
      continue;
    }
    // The next backward pass then keeps its gradients instead of adding each to zeros, one by one.
    for (const at::Tensor& parameter : groups_[g].parameters)
      parameter.mutable_grad() = at::Tensor();
  }
}

double AdamW::step(const UpdateRates& rates, double scale) {
  const at::NoGradGuard no_grad;
  std::vector<std::vector<at::Tensor>> all;
  std::vector<at::Tensor> norms;
  for (const Group& group : groups_) {
    all.push_back(gradients(group));
    for (const at::Tensor& norm : at::_foreach_norm(all.back())) norms.push_back(norm);
  }
  const double norm = at::stack(norms).norm().item<double>() * scale;
  if (std::isfinite(norm)) {
    const double clip =
        config_.clip_norm > 0 && norm > config_.clip_norm ? config_.clip_norm / norm : 1;
    for (size_t g = 0; g < groups_.size(); ++g) {
      if (scale * clip != 1) at::_foreach_mul_(all[g], at::Scalar(scale * clip));
      update(groups_[g], all[g], rates);
    }
  }
  clear_gradients(all);
  return norm;
}

void AdamW::save(SafeTensors& state) const {
  for (const Group& group : groups_) {
    const auto first = download(group.first_moments), second = download(group.second_moments),
               steps = download(group.steps);
    for (size_t i = 0; i < group.names.size(); ++i) {
      state.tensors.emplace_back("first_moment." + group.names[i], first[i]);
      state.tensors.emplace_back("second_moment." + group.names[i], second[i]);
      state.tensors.emplace_back("step." + group.names[i], steps[i]);
    }
  }
}

void AdamW::load(const SafeTensors& state) {
  const at::NoGradGuard no_grad;
  for (Group& group : groups_)
    for (size_t i = 0; i < group.names.size(); ++i) {
      group.first_moments[i].copy_(state.at("first_moment." + group.names[i]));
      group.second_moments[i].copy_(state.at("second_moment." + group.names[i]));
      group.steps[i].copy_(state.at("step." + group.names[i]));
    }
}

}  // namespace scion
