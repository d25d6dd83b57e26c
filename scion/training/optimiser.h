// AdamW (Loshchilov & Hutter, 2019) with clipping by the global norm.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "scion/core/safetensors.h"
#include "scion/model/module.h"
#include "scion/training/run_config.h"

namespace scion {

class AdamW {
 public:
  AdamW(const Registry& registry, const TrainConfig& config);

  /// Scales the accumulated gradients by `scale`, clips them to config.clip_norm, takes a step with
  /// rate `lr`, clears the gradients. Returns the gradient's norm before clipping (after scaling);
  /// a non-finite norm changes nothing but the gradients.
  double step(double lr, double scale);

  /// Moments and step count, for checkpoints.
  void save(SafeTensors& state) const;
  void load(const SafeTensors& state);

 private:
  struct Group {
    double decay;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters, first_moments, second_moments, steps;
  };
  std::vector<at::Tensor> gradients(const Group& group) const;

  TrainConfig config_;
  std::vector<Group> groups_;  // with weight decay, without
};

}  // namespace scion
