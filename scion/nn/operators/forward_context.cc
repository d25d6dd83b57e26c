#include "scion/nn/operators/forward_context.h"

#include "scion/core/random.h"
#include "scion/core/threads.h"

namespace scion {

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

bool ForwardContext::may_compute_in_blocks() const {
  return !training_ && inputs == nullptr && !observe && !at::GradMode::is_enabled();
}

uint64_t ForwardContext::next_dropout_key() const {
  uint64_t key = key_ + 0x9E3779B97F4A7C15ULL * ++places_;
  key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9ULL;
  return key ^ (key >> 31);
}

}  // namespace scion
