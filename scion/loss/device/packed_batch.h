// The nodes of a batch in one array, on a device. Internal to scion/loss.
#pragma once

#include "scion/loss/device/kernels.h"
#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

/// Offsets of a batch's nodes, frames and states, on the host and on the device; for a band also
/// the frames' first states, on the device alone.
class PackedBatch {
 public:
  PackedBatch(const LatticeBatch& batch, at::Device device);

  int64_t nodes() const { return first_node()[utterances_]; }
  // On the host, (B + 1) each, as in PackedLattices.
  const int64_t* first_node() const { return host_.const_data_ptr<int64_t>(); }
  const int64_t* first_frame() const { return first_node() + utterances_ + 1; }
  const int64_t* first_state() const { return first_frame() + utterances_ + 1; }
  int64_t utterance_of(int64_t node) const;
  /// Numbered through all utterances.
  int64_t frame_of(int64_t node) const;

  /// For kernels.
  PackedLattices view() const;

 private:
  int64_t utterances_, max_frames_, max_states_, band_width_;
  at::Tensor host_, device_, band_;
};

}  // namespace scion
