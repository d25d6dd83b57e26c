// How optimisation goes, update by update: how large and how steady gradients are, and how straight
// the weights' path is; of all parameters, and of each part of the network.
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
/// "joiner", or "heads" for what stands beside them.
std::string parameter_part(const Registry& registry, const std::string& name);

/// Looks on, and changes nothing: call before_step() with the gradients of an update in place, then
/// after_step() when the optimiser has moved the weights. At every `every`-th update u, for every
/// part and for "all":
///   norm          of the gradient g_u, before clipping, in the mean over batches
///   change        ln |g_u| − ln |g_{u−1}|
///   cosine        between g_u and g_{u−1}
///   path          length of the weights' path since the start, through the measured updates
///   displacement  |θ_u − θ_0|
/// (change and cosine are null where the gradient before is not known: at update 1.)
class PathMeasures {
 public:
  /// The weights as they are now are the start. Measures nothing where `every` is 0.
  PathMeasures(const Registry& registry, int64_t every);

  /// Gradients are multiplied by `scale`; `update` counts from 1 and is the one to come.
  void before_step(int64_t update, double scale);
  /// What was measured at this update, if any: {part: {norm, …}}.
  std::optional<nlohmann::json> after_step(int64_t update);

  /// The start, for continuing later.
  void save_start(SafeTensors& file) const;
  void load_start(const SafeTensors& file);
  /// What changes from update to update, for checkpoints.
  void save(SafeTensors& state) const;
  void load(const SafeTensors& state);

 private:
  struct Part {
    std::string name;
    double norm = 0, path = 0;
    std::optional<double> change, cosine;
    double previous_norm = 0;  // of the gradient before; 0: not known
  };
  struct Member {
    std::string name;
    size_t part;
    at::Tensor tensor, start, last;  // now, at first, at the last measurement
    at::Tensor gradient;             // of the update before; undefined: not kept
  };

  int64_t every_;
  std::vector<Member> members_;
  std::vector<Part> parts_;  // "all" first
  int64_t kept_update_ = 0;  // the update that the kept gradients are of
};

}  // namespace scion
