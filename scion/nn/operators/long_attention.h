// Self-attention over long utterances on the CPU, without gradients or dropout: memory grows with
// the number of frames, not with its square.
#pragma once

#include <ATen/core/Tensor.h>

namespace scion {

/// One head: relative_attention() of h (B, T, 3·d) with bias (3·d) and the head's position_bias
/// (2R + 1) → (B, T, d); zero beyond `lengths` (B, on the CPU).
at::Tensor attend_long(const at::Tensor& h, const at::Tensor& bias, const at::Tensor& position_bias,
                       const at::Tensor& lengths);

/// A head's position vectors for attend_long_positions(): column i is the one of distance
/// T − 1 − i.
class LongPositions {
 public:
  LongPositions(int64_t width, int64_t frames);
  /// The vectors (n, d) of the distances T − 1 − first and below.
  void set(int64_t first, const at::Tensor& vectors);
  const at::Tensor& columns() const { return columns_; }

 private:
  at::Tensor columns_;  // (d, 2T − 1 and the zeros that the kernels may read)
};

/// One head: sinusoid_attention() of h (B, T, 3·d). `bias` (3·d) includes the content offset;
/// `offset` (d) is the position offset less the content offset.
at::Tensor attend_long_positions(const at::Tensor& h, const at::Tensor& bias,
                                 const at::Tensor& offset, const LongPositions& positions,
                                 const at::Tensor& lengths);

}  // namespace scion
