// Two 2-D convolutions that thin out time (and frequency) before the encoder.
#pragma once

#include "scion/model/context.h"
#include "scion/model/module.h"

namespace scion {

/// Factor 4: kernels 3 and 3, strides 2 and 2. Factor 6: kernels 3 and 5, strides 2 and 3. No
/// padding: an output frame sees valid input frames only.
class Conv2dSubsampling : public Module {
 public:
  Conv2dSubsampling(const Scope& scope, int64_t bins, int64_t channels, int64_t factor,
                    const Axis& width);

  /// (B, T, F) → (B, frames_out(T), width), where `lengths` (B) counts output frames that are not
  /// padding, at least 1. T must be at least minimum_frames().
  at::Tensor forward(const at::Tensor& features, const at::Tensor& lengths,
                     const Context& context) const;
  /// Output frames for `frames` feature frames; 0 when there are too few.
  int64_t frames_out(int64_t frames) const;
  at::Tensor lengths_out(const at::Tensor& lengths) const;
  int64_t minimum_frames() const;

 private:
  int64_t kernel2_, stride2_;
  at::Tensor weight1_, bias1_, weight2_, bias2_, weight3_, bias3_;
};

}  // namespace scion
