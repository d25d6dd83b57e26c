// The labels and sizes of a batch of lattices, checked. Internal to scion/loss.
#pragma once

#include "scion/loss/lattice/types.h"

namespace scion {

/// Which alignments a lattice has, and what their arcs count.
struct LatticeRules {
  int64_t blank = 0;
  double fast_emit = 0, delay_penalty = 0;  ///< as in TransducerLossOptions
  Topology topology = Topology::regular;
  std::vector<int64_t> durations = {};  ///< as in TdtOptions; empty: no TDT
  double sigma = 0;
};
LatticeRules rules_of(const TransducerLossOptions& options);
LatticeRules rules_of(const TransducerLossOptions& options, const TdtOptions& tdt);
LatticeRules rules_of(const SimpleLossOptions& options);

/// How a joiner's nodes are computed.
struct JoinerSettings {
  bool bf16 = false;            ///< as in TransducerLossOptions
  int64_t workspace_bytes = 0;  ///< for nodes kept for the backward half
};
JoinerSettings settings_of(const TransducerLossOptions& options);

/// The lattices of a batch. Each frame has a row of nodes (t, u): all states of the utterance or,
/// in a band, `width` of them from first_of(b, t) on; nodes of a band past the last state do not
/// exist. Nodes are numbered n = t · width_of(b) + u − first_of(b, t).
class LatticeBatch {
 public:
  LatticeBatch() = default;
  /// tokens (B, U), frames (B), states (B): int64 on the CPU, contiguous, already checked
  LatticeBatch(at::Tensor tokens, at::Tensor frames, at::Tensor states, int64_t max_frames,
               const LatticeRules& rules);
  /// The band of states from `first` (B, T) int64 on, contiguous, each in 0 … U + 1 − width. A
  /// `first` on a GPU is for kernels alone: first_of() reads it on the CPU.
  LatticeBatch band(at::Tensor first, int64_t width) const;

  int64_t size() const { return size_; }
  int64_t max_frames() const { return max_frames_; }  ///< T of the tensors
  int64_t max_states() const { return max_states_; }  ///< U + 1 of the tensors
  int64_t max_width() const { return first_data_ == nullptr ? max_states_ : band_width_; }
  const LatticeRules& rules() const { return rules_; }
  int64_t blank() const { return rules_.blank; }
  int64_t durations() const { return static_cast<int64_t>(rules_.durations.size()); }
  int64_t frames_of(int64_t b) const { return frames_data_[b]; }
  int64_t states_of(int64_t b) const { return states_data_[b]; }  ///< labels + 1
  int64_t width_of(int64_t b) const { return first_data_ == nullptr ? states_of(b) : band_width_; }
  int64_t first_of(int64_t b, int64_t t) const {
    return first_data_ == nullptr ? 0 : first_data_[b * max_frames_ + t];
  }
  int64_t nodes_of(int64_t b) const { return frames_of(b) * width_of(b); }
  const int64_t* labels_of(int64_t b) const { return tokens_data_ + b * (max_states_ - 1); }

  const at::Tensor& tokens() const { return tokens_; }
  const at::Tensor& frames() const { return frames_; }
  const at::Tensor& states() const { return states_; }
  const at::Tensor& first() const { return first_; }  ///< undefined for whole lattices

 private:
  at::Tensor tokens_, frames_, states_, first_;
  int64_t size_ = 0, max_frames_ = 0, max_states_ = 0, band_width_ = 0;
  LatticeRules rules_;
  // A tensor's data_ptr is a call; inner loops read these.
  const int64_t *tokens_data_ = nullptr, *frames_data_ = nullptr, *states_data_ = nullptr,
                *first_data_ = nullptr;
};

}  // namespace scion
