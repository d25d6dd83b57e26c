#include "scion/nn/module.h"

#include "scion/core/error.h"

namespace scion {

std::string Parameter::axes_text(Axis::Names names) const {
  std::vector<std::string> texts;
  for (const Axis& axis : axes) texts.push_back(axis.to_string(names));
  return fmt::format("{}", fmt::join(texts, ", "));
}

int64_t Parameter::fan_in() const {
  int64_t fan = 1;
  for (size_t d = 1; d < axes.size(); ++d) fan *= axes[d].size();
  return fan;
}

int64_t Parameter::fan_out() const {
  int64_t fan = axes.empty() ? 1 : axes[0].fan();
  for (size_t d = 2; d < axes.size(); ++d) fan *= axes[d].size();
  return fan;
}

const Parameter* Registry::find(const std::string& name) const {
  for (const Parameter& parameter : parameters_)
    if (parameter.name == name) return &parameter;
  return nullptr;
}

int64_t Registry::parameter_count() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters_)
    if (parameter.trainable) count += parameter.tensor.numel();
  return count;
}

std::vector<at::Tensor> Registry::trainable() const {
  std::vector<at::Tensor> tensors;
  for (const Parameter& parameter : parameters_)
    if (parameter.trainable) tensors.push_back(parameter.tensor);
  return tensors;
}

at::Tensor Registry::add(std::string name, std::vector<Axis> axes, Init init, bool trainable) {
  TORCH_CHECK(find(name) == nullptr, "parameter registered twice: ", name);
  std::vector<int64_t> shape;
  for (const Axis& axis : axes) shape.push_back(axis.size());
  at::Tensor tensor =
      init.kind == Init::Kind::one ? at::ones(shape, device_) : at::zeros(shape, device_);
  tensor.set_requires_grad(trainable);
  parameters_.push_back({std::move(name), std::move(axes), init, trainable, tensor});
  return tensor;
}

Scope Scope::operator/(const std::string& name) const {
  Scope inner = *this;
  inner.prefix_ = path(name);
  return inner;
}

std::string Scope::path(const std::string& name) const {
  if (prefix_.empty() || name.empty()) return prefix_ + name;
  return prefix_ + "." + name;
}

Scope Scope::layer(const std::string& name, int64_t index) const {
  return *this / name / std::to_string(index);
}

Linear Scope::make_linear(const std::string& name, std::vector<Axis> axes, bool biases) const {
  const Axis output = axes[0];
  int64_t inputs = 1;
  for (size_t d = 1; d < axes.size(); ++d) inputs *= axes[d].size();
  const at::Tensor weight =
      registry_->add(path(name + ".weight"), std::move(axes), init::weight, true);
  const Init start = biases ? init::bias(inputs) : init::zero;
  return {weight, registry_->add(path(name + ".bias"), {output}, start, biases)};
}

void Scope::declare_stack(const std::string& name, int64_t count) const {
  registry_->add_stack({path(name), count});
}

}  // namespace scion
