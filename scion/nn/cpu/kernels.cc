#include "scion/nn/cpu/kernels.h"

#include "scion/core/threads.h"

namespace scion {

const ModelKernels& model_kernels() {
#if defined(__x86_64__)
  if (processor().avx512) return avx512_model_kernels();
  if (processor().avx2) return avx2_model_kernels();
#endif
  return portable_model_kernels();
}

}  // namespace scion
