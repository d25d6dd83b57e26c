// The loops of fbank_kernel.h for any processor.
#include "scion/audio/fbank_kernel.h"

namespace scion {
namespace {
#include "scion/audio/fbank_kernel.inc"
}  // namespace

void portable_fbank_frames(const FbankPlan& plan, const float* const* frames, int64_t count,
                           double* work, float* features, int64_t stride) {
  compute_frames(plan, frames, count, work, features, stride);
}

}  // namespace scion
