// The arithmetic of filter banks, eight frames at a time, for the instruction set at hand.
#pragma once

#include <stdint.h>

namespace scion {

/// Tables shared by all frames of one FeatureConfig. The caller owns the arrays.
struct FbankPlan {
  int64_t window_samples, fft_size, bins;
  const double* window;       // (window_samples)
  const double* cosine;       // (fft_size / 2): cos 2πk / fft_size
  const double* sine;         // (fft_size / 2)
  const int32_t* reversed;    // (fft_size / 2): places of the packed samples, bits reversed
  const int32_t* mel_first;   // (bins): first frequency with a weight
  const int32_t* mel_end;     // (bins)
  const double* mel_weights;  // of all bins, one after the other
  double scale, preemphasis, log_offset;
  bool remove_dc_offset, use_energy;
};

inline constexpr int fbank_lanes = 8;

/// Numbers that fbank_frames needs as working memory, aligned to 64 bytes.
inline int64_t fbank_work_size(const FbankPlan& plan) {
  return fbank_lanes * (plan.window_samples + 2 * plan.fft_size + 2);
}

/// Features of 1 … 8 frames, each window_samples long, to rows of `stride` floats. A frame's values
/// are the same beside any others and on every processor: float64, lane by lane, never fused.
using FbankFrames = void(const FbankPlan& plan, const float* const* frames, int64_t count,
                         double* work, float* features, int64_t stride);

FbankFrames portable_fbank_frames, avx2_fbank_frames, avx512_fbank_frames;

/// The fastest that this processor has.
FbankFrames* fbank_frames();

}  // namespace scion
