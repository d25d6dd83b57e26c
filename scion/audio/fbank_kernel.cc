#include "scion/audio/fbank_kernel.h"

#include "scion/core/threads.h"

namespace scion {

FbankFrames* fbank_frames() {
#if defined(__x86_64__)
  if (processor().avx512) return avx512_fbank_frames;
  if (processor().avx2) return avx2_fbank_frames;
#endif
  return portable_fbank_frames;
}

}  // namespace scion
