// What a forward pass has to know beside its inputs.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>

namespace scion {

class InputObserver;

/// Made anew for every forward pass.
class ForwardContext {
 public:
  /// Evaluation: no dropout, running statistics.
  ForwardContext() = default;
  /// Training: dropout masks are a function of (seed, update) and of the place in the network.
  static ForwardContext for_training(uint64_t seed, int64_t update, bool bf16);
  static ForwardContext for_evaluation(bool bf16);

  bool training() const { return training_; }
  /// Matrix products in bfloat16 (accumulated in float32 by the library), all else in float32.
  bool bf16() const { return bf16_; }
  /// Share of a batch in batch normalisation's running statistics, in training.
  double batch_norm_momentum = 0.1;
  /// A key for the next dropout place; every call gives another one.
  uint64_t next_dropout_key() const;

  /// Shown every stage's output by name when set: finding the first non-finite layer.
  std::function<void(const std::string& place, const at::Tensor& output)> observe;
  void show(const std::string& place, const at::Tensor& output) const {
    if (observe) observe(place, output);
  }
  /// Shown what goes into every linear map and batch normalisation when set, in whole passes (not
  /// in streams).
  InputObserver* inputs = nullptr;

 private:
  bool training_ = false, bf16_ = false;
  uint64_t key_ = 0;
  mutable uint64_t places_ = 0;
};

}  // namespace scion
