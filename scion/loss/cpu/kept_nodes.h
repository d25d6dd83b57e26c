// Nodes that the fused joiner's forward half keeps for the backward half on the CPU. For sources,
// as joiner_tiles.h. Internal to scion/loss.
#pragma once

#include <algorithm>
#include <vector>

#include "scion/core/huge_pages.h"
#include "scion/loss/cpu/joiner_tiles.h"
#include "scion/loss/cpu/node_gradient.h"

namespace scion {

/// The softmax of nodes in bfloat16, rounded as the gradient made from it will be: per node a row
/// of exponentials, zeros up to a multiple of 32, followed, in float, by the three values from
/// which differences are computed exactly.
class SoftmaxRows {
 public:
  struct Exact {
    float factor;        ///< turns the exponentials into probabilities
    float blank, label;  ///< probabilities
  };
  static int64_t stride_of(int64_t classes) { return round_up(classes, kWhole) + kWhole; }

  SoftmaxRows(uint16_t* first, int64_t classes)
      : data_(first), classes_(classes), stride_(stride_of(classes)) {}
  uint16_t* row(int64_t r) const { return data_ + r * stride_; }
  Exact& exact(int64_t r) const { return *reinterpret_cast<Exact*>(row(r + 1) - kWhole); }
  SoftmaxRows from(int64_t r) const { return {row(r), classes_}; }

  /// Fills rows and log-sums from `count` rows of logits, `stride` apart. label(r) is the class of
  /// row r's next label, or NodeGradient::kNoLabel.
  template <class LabelOf>
  void fill(const float* logits, int64_t stride, int64_t count, int64_t blank, const LabelOf& label,
            float* log_sums) const {
    std::vector<float> factors(count), arcs(2 * count);
    pair_kernels()->exponentials(logits, count, stride, classes_, data_, stride_, log_sums,
                                 factors.data());
    for (int64_t r = 0; r < count; ++r) {
      const float* const row = logits + r * stride;
      const int64_t next = label(r);
      arcs[2 * r] = row[blank] - log_sums[r];
      arcs[2 * r + 1] = next == NodeGradient::kNoLabel ? 0 : row[next] - log_sums[r];
    }
    loss_kernels().scaled_softmax(arcs.data(), 2 * count, 0, 1, arcs.data());
    for (int64_t r = 0; r < count; ++r) exact(r) = {factors[r], arcs[2 * r], arcs[2 * r + 1]};
  }

  /// The first row's gradient of token logits, as bfloat16 with zeros up to a multiple of 32.
  void write_gradient(const NodeGradient& gradient, uint16_t* out) const {
    const Exact& own = exact(0);
    pair_kernels()->scaled(row(0), classes_, gradient.others * own.factor, out);
    const auto put = [&](int64_t symbol, float probability, float target) {
      out[symbol] = c10::BFloat16(gradient.arcs * probability - target).x;
    };
    put(gradient.blank_class, own.blank, gradient.blank);
    if (gradient.label_class != NodeGradient::kNoLabel)
      put(gradient.label_class, own.label, gradient.label);
  }

 private:
  static constexpr int64_t kWhole = 32;  // halves of a store, and room for Exact
  uint16_t* data_;
  int64_t classes_, stride_;
};

/// Logits (with products in bfloat16: softmax) of the nodes of every utterance, in turn, that still
/// fits in the workspace. The choice of utterances depends on shapes only.
class KeptNodes {
 public:
  /// `bytes` 0: none are kept. Allocates `storage` if it is undefined.
  KeptNodes(const JoinerView& view, int64_t bytes, at::Tensor storage = {})
      : view_(view), storage_(std::move(storage)), begin_(view.batch.size(), kNone) {
    const at::ScalarType type = in_pairs() ? at::kBFloat16 : at::kFloat;
    const int64_t row_bytes = stride() * static_cast<int64_t>(at::elementSize(type));
    int64_t rows = 0;
    for (int64_t b = 0; b < view.batch.size(); ++b) {
      if ((rows + view.batch.nodes_of(b)) * row_bytes > bytes) continue;
      begin_[b] = rows;
      rows += view.batch.nodes_of(b);
    }
    if (!storage_.defined()) {
      storage_ = at::empty({rows, stride()}, type);
      ask_for_huge_pages(storage_);
    }
    data_ = storage_.mutable_data_ptr();
  }
  bool holds(int64_t b) const { return begin_[b] != kNone; }
  bool holds_all() const { return std::find(begin_.begin(), begin_.end(), kNone) == begin_.end(); }
  int64_t stride() const {
    return in_pairs() ? SoftmaxRows::stride_of(view_.classes) : view_.outputs_stride;
  }
  /// Logits of a held node and those that follow it.
  float* logits(int64_t b, int64_t n) const { return static_cast<float*>(data_) + place(b, n); }
  /// With products in bfloat16: their softmax.
  SoftmaxRows softmax(int64_t b, int64_t n) const {
    return {static_cast<uint16_t*>(data_) + place(b, n), view_.classes};
  }
  const at::Tensor& storage() const { return storage_; }

 private:
  static constexpr int64_t kNone = -1;
  bool in_pairs() const { return view_.pairs != nullptr; }
  int64_t place(int64_t b, int64_t n) const { return (begin_[b] + n) * stride(); }

  const JoinerView& view_;
  at::Tensor storage_;
  std::vector<int64_t> begin_;  // by utterance, in rows
  void* data_;
};

}  // namespace scion
