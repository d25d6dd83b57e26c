#include "scion/loss/device/packed_batch.h"

#include "scion/core/device.h"

namespace scion {

PackedBatch::PackedBatch(const LatticeBatch& batch, at::Device device)
    : utterances_(batch.size()),
      max_frames_(batch.max_frames()),
      max_states_(batch.max_states()),
      band_width_(batch.max_width()) {
  host_ = at::zeros({3 * (utterances_ + 1) + batch.tokens().numel()}, at::kLong);
  auto* const node = host_.mutable_data_ptr<int64_t>();
  int64_t *const frame = node + utterances_ + 1, *const state = frame + utterances_ + 1;
  for (int64_t b = 0; b < utterances_; ++b) {
    node[b + 1] = node[b] + batch.nodes_of(b);
    frame[b + 1] = frame[b] + batch.frames_of(b);
    state[b + 1] = state[b] + batch.states_of(b);
  }
  host_.slice(0, 3 * (utterances_ + 1)).copy_(batch.tokens().flatten());
  device_ = upload(host_, device);
  if (batch.first().defined()) band_ = upload(batch.first(), device);
}

int64_t PackedBatch::utterance_of(int64_t node) const {
  return std::upper_bound(first_node(), first_frame(), node) - first_node() - 1;
}

int64_t PackedBatch::frame_of(int64_t node) const {
  const int64_t b = utterance_of(node);
  const int64_t states = first_state()[b + 1] - first_state()[b];
  return first_frame()[b] + (node - first_node()[b]) / (band_.defined() ? band_width_ : states);
}

PackedLattices PackedBatch::view() const {
  const auto* const node = device_.const_data_ptr<int64_t>();
  const int64_t *const frame = node + utterances_ + 1, *const state = frame + utterances_ + 1;
  return {utterances_,
          max_frames_,
          max_states_,
          node,
          frame,
          state,
          state + utterances_ + 1,
          band_.defined() ? band_.const_data_ptr<int64_t>() : nullptr,
          band_width_};
}

}  // namespace scion
