// Settings of one forward pass: training or evaluation, precision, dropout key, observers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace scion {

class InputObserver;
class OperandCache;

/// Created for each forward pass.
class ForwardContext {
 public:
  /// Evaluation: no dropout, running statistics.
  ForwardContext() = default;
  /// Training: dropout masks are a function of (seed, update) and of the position in the network.
  static ForwardContext for_training(uint64_t seed, int64_t update, bool bf16);
  static ForwardContext for_evaluation(bool bf16);
  /// Many passes over the same weights: parameters, which must stay as they are, are converted for
  /// the products once. Copies of the context share them; several threads may use one.
  static ForwardContext for_recognition(bool bf16);

  bool training() const { return training_; }
  /// Matrix products in bfloat16 (accumulated in float32 by the library), all else in float32.
  bool bf16() const { return bf16_; }
  /// Weight of a batch in the running statistics of batch normalisation, in training.
  double batch_norm_momentum = 0.1;
  /// Evaluation: memory that a module's intermediate results may take. Longer utterances are
  /// computed in blocks of time, attention in bands of queries; results differ by rounding alone.
  int64_t working_bytes = int64_t{128} << 20;
  /// Whether modules may keep to working_bytes: nothing needs their intermediate results as a
  /// whole.
  bool may_compute_in_blocks() const;
  /// A weight in the number format of matrix products; without a gradient.
  at::Tensor operand(const at::Tensor& weight) const;
  /// The key of the next dropout; every call returns a different one.
  uint64_t next_dropout_key() const;

  /// Called with every stage's output and name when set, e.g. to find the first non-finite layer.
  std::function<void(const std::string& place, const at::Tensor& output)> observe;
  void show(const std::string& place, const at::Tensor& output) const {
    if (observe) observe(place, output);
  }
  /// Receives the input of every linear map and batch normalisation when set.
  InputObserver* inputs = nullptr;

 private:
  bool training_ = false, bf16_ = false;
  uint64_t key_ = 0;
  mutable uint64_t places_ = 0;
  std::shared_ptr<OperandCache> operands_;
};

}  // namespace scion
