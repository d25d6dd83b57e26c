// The numbers that the CPU keeps of every node: log-sums, and log-probabilities that become flows.
// Internal to scion/loss.
#pragma once

#include <utility>

#include "scion/loss/lattice/lattice_batch.h"

namespace scion {

/// Per node: log-sum-exp of the token logits, log-probabilities of blank and next label, of each of
/// a TDT's durations, and for distillation of all other classes; (3 + durations (+ 1), B, T, width)
/// float. An utterance's nodes lie densely at the start of its part.
class NodeTerms {
 public:
  /// Of a batch whose rules have this number of durations.
  explicit NodeTerms(at::Tensor storage, int64_t durations = 0);
  static NodeTerms make(const LatticeBatch& batch, bool with_rest = false);

  float* log_sum(int64_t b) const { return part(0, b); }
  float* blank(int64_t b) const { return part(1, b); }  ///< log-probability; later the arc's flow
  float* label(int64_t b) const { return part(2, b); }
  int64_t durations() const { return durations_; }
  /// Log-probability of the i-th duration; later the derivative of the loss with respect to its
  /// logit.
  float* duration(int64_t b, int64_t i) const { return part(3 + i, b); }
  int64_t duration_plane() const { return size_ * stride_; }  ///< from one duration to the next
  bool has_rest() const { return storage_.size(0) > 3 + durations_; }
  /// Log-probability, −∞ without such a class.
  float* rest(int64_t b) const { return part(3 + durations_, b); }
  /// Blank and label terms as (B, T, U+1) each, zero where an utterance has no node.
  std::pair<at::Tensor, at::Tensor> arcs(const LatticeBatch& batch) const;
  const at::Tensor& storage() const { return storage_; }

  /// Sets three terms from rows of token logits of utterance b: `count` nodes from `first`, rows
  /// `stride` apart.
  void set(const LatticeBatch& batch, int64_t b, int64_t first, int64_t count, const float* logits,
           int64_t stride, int64_t classes);
  /// Sets the terms of durations from rows of their logits.
  void set_durations(int64_t b, int64_t first, int64_t count, const float* logits, int64_t stride);
  /// Sets the last term, after set(); whole lattices only.
  void set_rest(const LatticeBatch& batch, int64_t b, int64_t first, int64_t count,
                const float* logits, int64_t stride, int64_t classes);
  /// Sets blank and label of `count` nodes from `first`. Log-probabilities are rows minus sums (one
  /// per row; nullptr: zeros).
  template <class T>
  void set_arcs(const LatticeBatch& batch, int64_t b, int64_t first, int64_t count, const T* rows,
                int64_t stride, const float* sums);

 private:
  float* part(int64_t which, int64_t b) const { return data_ + (which * size_ + b) * stride_; }
  at::Tensor storage_;
  float* data_;
  int64_t durations_, size_, stride_;
};

/// The delay penalty's contribution to a label's log-probability in frame t.
float earliness(const LatticeBatch& batch, int64_t b, int64_t t);

}  // namespace scion
