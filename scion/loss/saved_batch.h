// A batch among the saved tensors of an autograd operation on the CPU. For sources, which have
// torch's autograd from the precompiled header. Internal to scion/loss.
#pragma once

#include <utility>

#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

/// Saves `tensors`, the batch's four tensors after them, and its sizes. The rules are already
/// folded into the flows, so the backward pass does not need them.
inline void save_with_batch(torch::autograd::AutogradContext* ctx, const LatticeBatch& batch,
                            torch::autograd::variable_list tensors) {
  tensors.insert(tensors.end(), {batch.tokens(), batch.frames(), batch.states(), batch.first()});
  ctx->save_for_backward(std::move(tensors));
  ctx->saved_data["max_frames"] = batch.max_frames();
  ctx->saved_data["width"] = batch.max_width();
  ctx->saved_data["blank"] = batch.blank();
  ctx->saved_data["durations"] = batch.rules().durations;
}

inline LatticeBatch saved_batch(torch::autograd::AutogradContext* ctx,
                                const torch::autograd::variable_list& saved) {
  const size_t last = saved.size();
  const LatticeBatch batch(saved[last - 4], saved[last - 3], saved[last - 2],
                           ctx->saved_data["max_frames"].toInt(),
                           {.blank = ctx->saved_data["blank"].toInt(),
                            .durations = ctx->saved_data["durations"].toIntVector()});
  if (!saved[last - 1].defined()) return batch;
  return batch.band(saved[last - 1], ctx->saved_data["width"].toInt());
}

}  // namespace scion
