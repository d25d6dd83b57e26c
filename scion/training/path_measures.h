// Measurements of optimisation, update by update: size and steadiness of the gradients,
// straightness of the weights' path; for all parameters and for each part of the network.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "scion/core/files/safetensors.h"
#include "scion/nn/module.h"

namespace scion {

/// The part of the network that a parameter belongs to: "subsampling", "layers.3", "predictor",
/// "joiner", or "heads" for the output heads.
std::string parameter_part(const Registry& registry, const std::string& name);

/// Observes training without changing it: call before_step() with the gradients of an update in
/// place, then after_step() when the optimiser has moved the weights. At every `every`-th update u,
/// for every part and for "all":
///   norm          of the gradient g_u before clipping, the mean over batches
///   change        ln |g_u| − ln |g_{u−1}|
///   cosine        between g_u and g_{u−1}
///   path          length of the weights' path since the start, through the measured updates
///   displacement  |θ_u − θ_0|
/// (change and cosine are null at update 1, where no previous gradient is known.)
class PathMeasures {
 public:
  /// The current weights are the start. With `every` = 0 nothing is measured.
  PathMeasures(const Registry& registry, int64_t every);

  /// Gradients are multiplied by `scale`; `update`, from 1, is the coming one.
  void before_step(int64_t update, double scale);
  /// The measurements of this update, if there are any: {part: {norm, …}}.
  std::optional<nlohmann::json> after_step(int64_t update);

  /// The first weights, for a run that continues.
  void save_start(SafeTensors& file) const;
  void load_start(const SafeTensors& file);
  /// Values that change from update to update, for checkpoints.
  void save(SafeTensors& state) const;
  void load(const SafeTensors& state);

 private:
  struct Part {
    std::string name;
    double norm = 0, path = 0;
    std::optional<double> change, cosine;
    double previous_norm = 0;  // of the previous gradient; 0: unknown
  };
  struct Member {
    std::string name;
    size_t part;
    at::Tensor tensor, start, last;  // current, first, and last measured values
    at::Tensor gradient;             // of the previous update; undefined: not kept
  };

  int64_t every_;
  std::vector<Member> members_;
  std::vector<Part> parts_;  // "all" first
  int64_t kept_update_ = 0;  // the update of the kept gradients
};

}  // namespace scion
