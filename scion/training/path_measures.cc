#include "scion/training/path_measures.h"

#include <cmath>

namespace scion {
namespace {

double inner_product(const at::Tensor& a, const at::Tensor& b) {
  return at::dot(a.reshape({-1}), b.reshape({-1})).item<double>();
}

nlohmann::json number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? nlohmann::json(*value) : nlohmann::json();
}

}  // namespace

std::string parameter_part(const Registry& registry, const std::string& name) {
  for (const LayerStack& stack : registry.stacks()) {
    if (!name.starts_with(stack.prefix + ".")) continue;
    const size_t begin = stack.prefix.size() + 1;
    return "layers." + name.substr(begin, name.find('.', begin) - begin);
  }
  std::string first = name.substr(0, name.find('.'));
  if (first == "predictor" || first == "joiner") return first;
  if (first != "encoder") return "heads";
  const size_t begin = first.size() + 1;
  return name.substr(begin, name.find('.', begin) - begin);
}

PathMeasures::PathMeasures(const Registry& registry, int64_t every) : every_(every) {
  if (every == 0) return;
  parts_.push_back({.name = "all"});
  for (const Parameter& parameter : registry.all()) {
    if (!parameter.trainable) continue;
    const std::string name = parameter_part(registry, parameter.name);
    auto part = std::find_if(parts_.begin(), parts_.end(),
                             [&](const Part& known) { return known.name == name; });
    if (part == parts_.end()) part = parts_.insert(part, {.name = name});
    const at::Tensor start = parameter.tensor.detach().clone();
    members_.push_back({parameter.name,
                        static_cast<size_t>(part - parts_.begin()),
                        parameter.tensor,
                        start,
                        start.clone(),
                        {}});
  }
}

void PathMeasures::before_step(int64_t update, double scale) {
  if (every_ == 0) return;
  const bool measured = update % every_ == 0, kept = (update + 1) % every_ == 0;
  if (!measured && !kept) return;
  const at::NoGradGuard no_grad;
  const bool known = kept_update_ + 1 == update && update > 1;
  std::vector<double> squares(parts_.size()), products(parts_.size());
  for (Member& member : members_) {
    const at::Tensor now = member.tensor.grad().defined() ? member.tensor.grad() * scale
                                                          : at::zeros_like(member.tensor);
    const double square = inner_product(now, now);
    const double product = known ? inner_product(now, member.gradient) : 0;
    for (const size_t part : {size_t{0}, member.part}) {
      squares[part] += square;
      products[part] += product;
    }
    if (kept) member.gradient = now;
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    part.norm = std::sqrt(squares[i]);
    part.change.reset();
    part.cosine.reset();
    if (known && part.norm > 0 && part.previous_norm > 0) {
      part.change = std::log(part.norm / part.previous_norm);
      part.cosine = products[i] / (part.norm * part.previous_norm);
    }
    if (kept) part.previous_norm = part.norm;
  }
  if (kept) kept_update_ = update;
}

std::optional<nlohmann::json> PathMeasures::after_step(int64_t update) {
  if (every_ == 0 || update % every_ != 0) return std::nullopt;
  const at::NoGradGuard no_grad;
  std::vector<double> moved(parts_.size()), away(parts_.size());
  for (Member& member : members_) {
    const at::Tensor step = member.tensor - member.last, distance = member.tensor - member.start;
    for (const size_t part : {size_t{0}, member.part}) {
      moved[part] += inner_product(step, step);
      away[part] += inner_product(distance, distance);
    }
    member.last.copy_(member.tensor);
  }
  nlohmann::json line = nlohmann::json::object();
  for (size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    part.path += std::sqrt(moved[i]);
    line[part.name] = {{"norm", part.norm},
                       {"change", number(part.change)},
                       {"cosine", number(part.cosine)},
                       {"path", part.path},
                       {"displacement", std::sqrt(away[i])}};
  }
  return line;
}

void PathMeasures::save_start(SafeTensors& file) const {
  for (const Member& member : members_) file.tensors.emplace_back(member.name, member.start.cpu());
}

void PathMeasures::load_start(const SafeTensors& file) {
  for (Member& member : members_) member.start.copy_(file.at(member.name));
}

void PathMeasures::save(SafeTensors& state) const {
  if (every_ == 0) return;
  const bool has_gradients = kept_update_ > 0;
  for (const Member& member : members_) {
    state.tensors.emplace_back("measured." + member.name, member.last.cpu());
    if (has_gradients)
      state.tensors.emplace_back("measured_gradient." + member.name, member.gradient.cpu());
  }
  at::Tensor sums = at::zeros({static_cast<int64_t>(parts_.size()), 2}, at::kDouble);
  for (size_t i = 0; i < parts_.size(); ++i) {
    sums[static_cast<int64_t>(i)][0] = parts_[i].path;
    sums[static_cast<int64_t>(i)][1] = parts_[i].previous_norm;
  }
  state.tensors.emplace_back("measured_sums", sums);
  state.tensors.emplace_back("measured_update", at::full({}, kept_update_, at::kLong));
}

void PathMeasures::load(const SafeTensors& state) {
  if (every_ == 0) return;
  kept_update_ = state.at("measured_update").item<int64_t>();
  for (Member& member : members_) {
    member.last.copy_(state.at("measured." + member.name));
    if (kept_update_ > 0)
      member.gradient = state.at("measured_gradient." + member.name).to(member.tensor.device());
  }
  const at::Tensor sums = state.at("measured_sums");
  for (size_t i = 0; i < parts_.size(); ++i) {
    parts_[i].path = sums[static_cast<int64_t>(i)][0].item<double>();
    parts_[i].previous_norm = sums[static_cast<int64_t>(i)][1].item<double>();
  }
}

}  // namespace scion
