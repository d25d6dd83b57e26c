// AdamW (Loshchilov & Hutter, 2019) with clipping by the global norm.
#pragma once

#include <ATen/core/Tensor.h>

#include <set>
#include <string>
#include <vector>

#include "scion/core/files/safetensors.h"
#include "scion/nn/module.h"

namespace scion {

class Options;

struct AdamWConfig {
  double beta1 = 0.9, beta2 = 0.98;
  double weight_decay = 0.01;  ///< of matrices and kernels
  double clip_norm = 5;        ///< 0: no clipping

  void declare(Options& options);
};

/// Rates of one update.
struct UpdateRates {
  double lr = 0;         ///< learning rate of randomly initialised parameters
  double copied_lr = 0;  ///< learning rate of copied parameters
  double anchor = 0;     ///< fraction by which copied parameters move back to their first values
};

class AdamW {
 public:
  /// `copied`: names of the parameters that were copied from another model. With `anchored` their
  /// current values are kept as those that UpdateRates::anchor refers to.
  AdamW(const Registry& registry, const AdamWConfig& config,
        const std::set<std::string>& copied = {}, bool anchored = false);

  /// Scales the accumulated gradients by `scale`, clips them to config.clip_norm, takes a step and
  /// clears the gradients. While rates.anchor is not 0, copied parameters first move by that
  /// fraction towards their first values, instead of weight decay (Li et al., 2018, decoupled as in
  /// AdamW). Returns the gradient's norm before clipping (after scaling); a non-finite norm leaves
  /// the parameters unchanged.
  double step(const UpdateRates& rates, double scale);

  /// Moments and step count, for checkpoints.
  void save(SafeTensors& state) const;
  void load(const SafeTensors& state);

 private:
  struct Group {
    bool copied, decays;
    std::vector<std::string> names;
    std::vector<at::Tensor> parameters, first_moments, second_moments, steps;
    std::vector<at::Tensor> anchors;  // first values of copied parameters, where they are anchored
  };
  std::vector<at::Tensor> gradients(const Group& group) const;
  void update(Group& group, const std::vector<at::Tensor>& gradients, const UpdateRates& rates);
  /// After an update from the gradients of each group.
  void clear_gradients(const std::vector<std::vector<at::Tensor>>& all);

  AdamWConfig config_;
  std::vector<Group> groups_;  // none is empty
};

}  // namespace scion
