// A teacher that is a small model with every element doubled.
#pragma once

#include "scion/model/transducer.h"

namespace scion::testing {

/// Twice as wide wherever a width does not change what elements mean.
inline ModelConfig doubled(ModelConfig config) {
  for (int64_t* size :
       {&config.conformer.width, &config.conformer.heads, &config.conformer.feed_forward,
        &config.conformer.subsampling_channels, &config.lstm.width, &config.lstm.hidden,
        &config.lstm.subsampling_channels, &config.predictor_width, &config.joiner_width})
    *size *= 2;
  return config;
}

/// The small model's element of each of the large one's in a dimension.
inline at::Tensor origins(const Axis& small, const Axis& large) {
  std::map<std::string, Indices> halves;
  const auto choice = [&](const Axis&, const Axis& leaf) -> const Indices& {
    Indices& indices = halves[leaf.name()];
    const bool same = leaf.form() != Axis::Form::leaf || leaf.name().ends_with(".query") ||
                      leaf.name().ends_with(".value");
    if (indices.empty())
      for (int64_t i = 0; i < leaf.size(); ++i) indices.push_back(same ? i : i / 2);
    return indices;
  };
  return at::tensor(resolve_indices(small, large, choice), at::kLong);
}

/// Fills `large`, of the doubled configuration, so that elements 2i and 2i + 1 of every leaf are
/// element i of `small`, and what reads them splits its weight between the two at random: the same
/// function, with as many linearly dependent elements as there are others.
inline void double_elements(const Transducer& small, Transducer& large) {
  const at::NoGradGuard no_grad;
  at::manual_seed(17);
  for (const Parameter& to : large.registry().all()) {
    const Parameter& from = *small.registry().find(to.name);
    at::Tensor values = from.tensor, shares = at::rand_like(to.tensor) + 0.2, sums = shares;
    for (int64_t d = 0; d < values.dim(); ++d) {
      const auto axis = static_cast<size_t>(d);
      const at::Tensor origin = origins(from.axes[axis], to.axes[axis]);
      values = values.index_select(d, origin);
      if (d == 0) continue;
      std::vector<int64_t> shape = sums.sizes().vec();
      shape[axis] = from.tensor.size(d);
      sums = at::zeros(shape).index_add(d, origin, sums).index_select(d, origin);
    }
    to.tensor.copy_(to.init.kind == Init::Kind::weight ? values * (shares / sums) : values);
  }
}

}  // namespace scion::testing
