#include "scion/study/controls.h"

#include "scion/core/random.h"
#include "scion/nn/initialise.h"

namespace scion {
namespace {

// Scales and shifts of normalisations keep their values: their order carries little.
bool is_drawn(const Parameter& parameter) {
  return parameter.trainable &&
         (parameter.init.kind == Init::Kind::weight ||
          parameter.init.kind == Init::Kind::embedding || parameter.init.kind == Init::Kind::bias);
}

}  // namespace

void shuffle_inside_tensors(Registry& registry, uint64_t seed) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : registry.all()) {
    if (!is_drawn(parameter)) continue;
    std::vector<int64_t> order(static_cast<size_t>(parameter.tensor.numel()));
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
    Random(seed, RandomStream::initialisation, stable_hash(parameter.name)).shuffle(order);
    parameter.tensor.copy_(parameter.tensor.flatten()
                               .index_select(0, at::tensor(order).to(parameter.tensor.device()))
                               .view(parameter.tensor.sizes()));
  }
}

void redraw_with_own_deviation(Registry& registry, uint64_t seed) {
  const at::NoGradGuard no_grad;
  for (const Parameter& parameter : registry.all()) {
    if (!is_drawn(parameter)) continue;
    const at::Tensor values = parameter.tensor.to(at::kDouble);
    draw_normal(parameter, seed, values.mean().item<double>(), values.std(false).item<double>());
  }
}

}  // namespace scion
