// Objects that an autograd operation's forward half keeps for its backward half. For sources, which
// have torch's autograd from the precompiled header.
#pragma once

#include <utility>

namespace scion {

template <class Kept>
struct Capsule : torch::CustomClassHolder {
  explicit Capsule(Kept content) : kept(std::move(content)) {}
  Kept kept;
};

/// `content` must not hold the operation's output: that would be a cycle.
template <class Kept>
void keep(torch::autograd::AutogradContext* ctx, Kept content) {
  ctx->saved_data["kept"] =
      at::IValue::make_capsule(c10::make_intrusive<Capsule<Kept>>(std::move(content)));
}

template <class Kept>
Kept& kept(torch::autograd::AutogradContext* ctx) {
  const auto capsule = ctx->saved_data["kept"].toCapsule();
  return c10::static_intrusive_pointer_cast<Capsule<Kept>>(capsule)->kept;
}

}  // namespace scion
