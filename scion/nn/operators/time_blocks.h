// Long utterances in evaluation, block by block, so that intermediate results stay small.
#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "scion/nn/operators/forward_context.h"

namespace scion {

/// What a block's results depend on besides its own frames. Blocks begin at multiples of
/// `multiple`.
struct BlockReach {
  int64_t past = 0, future = 0;  ///< frames, multiples of `multiple`
  int64_t multiple = 1;
};

/// Frames of x (B, T, …) in a block, so that `floats` for each frame take no more than
/// context.working_bytes: T in training, with an observer, or where all fit.
inline int64_t block_frames(const at::Tensor& x, int64_t floats, const ForwardContext& context) {
  if (!context.may_compute_in_blocks()) return x.size(1);
  const auto frame_bytes = static_cast<int64_t>(sizeof(float)) * x.size(0) * floats;
  return std::clamp<int64_t>(context.working_bytes / frame_bytes, 1, x.size(1));
}

/// f(x, lengths) → y (B, T, C), computed in blocks of about `frames` frames. `lengths` (B) counts
/// the valid frames of x.
template <class F>
at::Tensor in_time_blocks(const at::Tensor& x, const at::Tensor& lengths, const BlockReach& reach,
                          int64_t frames, const F& f) {
  const int64_t all = x.size(1);
  if (frames >= all) return f(x, lengths);
  const int64_t step = std::max<int64_t>(1, frames / reach.multiple) * reach.multiple;
  at::Tensor y;
  for (int64_t begin = 0; begin < all; begin += step) {
    const int64_t end = std::min(begin + step, all);
    const int64_t from = std::max<int64_t>(0, begin - reach.past);
    const int64_t to = std::min(end + reach.future, all);
    const at::Tensor valid = (lengths - from).clamp(0, to - from);
    const at::Tensor block = f(x.slice(1, from, to).contiguous(), valid);
    if (!y.defined()) y = at::empty({x.size(0), all, block.size(2)}, block.options());
    y.slice(1, begin, end).copy_(block.slice(1, begin - from, end - from));
  }
  return y;
}

}  // namespace scion
