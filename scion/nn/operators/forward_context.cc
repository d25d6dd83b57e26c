#include "scion/nn/operators/forward_context.h"

#include <mutex>

#include "scion/core/random.h"
#include "scion/core/threads.h"

namespace scion {

class OperandCache {
 public:
  at::Tensor operand(const at::Tensor& weight, at::ScalarType type) {
    if (weight.scalar_type() == type || !weight.requires_grad()) return weight.detach().to(type);
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[weight.unsafeGetTensorImpl()];
    if (!entry.operand.defined() || entry.operand.scalar_type() != type)
      entry = {weight, weight.detach().to(type)};
    return entry.operand;
  }

 private:
  struct Entry {
    at::Tensor weight;  // its memory is not used for another one
    at::Tensor operand;
  };
  std::mutex mutex_;
  std::unordered_map<const void*, Entry> entries_;
};

ForwardContext ForwardContext::for_training(uint64_t seed, int64_t update, bool bf16) {
  ForwardContext context = for_evaluation(bf16);
  context.training_ = true;
  Random random(seed, RandomStream::dropout, static_cast<uint64_t>(update));
  context.key_ = (static_cast<uint64_t>(random.bits()) << 32) | random.bits();
  return context;
}

ForwardContext ForwardContext::for_evaluation(bool bf16) {
  ForwardContext context;
  context.bf16_ = bf16;
  return context;
}

ForwardContext ForwardContext::for_recognition(bool bf16) {
  ForwardContext context = for_evaluation(bf16);
  context.operands_ = std::make_shared<OperandCache>();
  return context;
}

at::Tensor ForwardContext::operand(const at::Tensor& weight) const {
  const at::ScalarType type = bf16_ ? at::kBFloat16 : at::kFloat;
  return operands_ ? operands_->operand(weight, type) : weight.detach().to(type);
}

bool ForwardContext::may_compute_in_blocks() const {
  return !training_ && inputs == nullptr && !observe && !at::GradMode::is_enabled();
}

uint64_t ForwardContext::next_dropout_key() const {
  uint64_t key = key_ + 0x9E3779B97F4A7C15ULL * ++places_;
  key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9ULL;
  return key ^ (key >> 31);
}

}  // namespace scion
