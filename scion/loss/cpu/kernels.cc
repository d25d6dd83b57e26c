#include "scion/loss/cpu/kernels.h"

#include "scion/core/threads.h"

namespace scion {
namespace {

const LossKernels& fastest_kernels() {
#if defined(__x86_64__)
  if (processor().avx512) return avx512_loss_kernels();
  if (processor().avx2) return avx2_loss_kernels();
#endif
  return portable_loss_kernels();
}

}  // namespace

const LossKernels& loss_kernels() {
  static const LossKernels& kernels = fastest_kernels();
  return kernels;
}

const PairKernels* pair_kernels() {
#if defined(__x86_64__)
  if (processor().avx512_bf16) return &avx512bf16_pair_kernels();
#endif
  return nullptr;
}

}  // namespace scion
