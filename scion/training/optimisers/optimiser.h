// AdamW (Loshchilov & Hutter, 2019) with clipping by the global norm.
#pragma once

#include <ATen/core/Tensor.h>

#include <set>
#include <string>
#include <vector>

#include "scion/core/safetensors.h"
#include "scion/nn/module.h"
#include "scion/training/run_config.h"
#include "scion/training/schedule.h"

namespace scion {

class AdamW {
 public:
  /// `copied`: names of the parameters that came from another model. With config.anchor_decay their
  /// values now are remembered.
  AdamW(const Registry& registry, const TrainConfig& config,
        const std::set<std::string>& copied = {});

  /// Scales the accumulated gradients by `scale`, clips them to config.clip_norm, takes a step,
  /// clears the gradients. Copied parameters have a rate of their own; while rates.anchor is not 0
  /// they first go that share of the way back to their first values, instead of weight decay
  /// (Li et al., 2018, decoupled as in AdamW). Returns the gradient's norm before clipping (after
  /// scaling); a non-finite norm changes nothing but the gradients.
  double step(const UpdateRates& rates, double scale);

  /// Moments and step count, for checkpoints.
  void save(SafeTensors& state) const;
  void load(const SafeTensors& state);

 private:
  struct Group {
    bool copied, decays;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters, first_moments, second_moments, steps;
    std::vector<at::Tensor> anchors;  // of copied ones, with anchor_decay
  };
  std::vector<at::Tensor> gradients(const Group& group) const;
  void update(Group& group, const std::vector<at::Tensor>& gradients, const UpdateRates& rates);

  TrainConfig config_;
  std::vector<Group> groups_;  // none is empty
};

}  // namespace scion
