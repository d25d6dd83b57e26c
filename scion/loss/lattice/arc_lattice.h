// The recursion over one utterance's lattice or a band of it, frame by frame: any topology, arcs in
// float or double, sums in double. The vectorised kernels of cpu/kernels.h do the same for whole
// regular lattices. Internal to scion/loss.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace scion {

/// log(exp(a) + exp(b)); NaN if either is NaN.
inline double log_of_sum(double a, double b) {
  const bool falling = a > b;
  const double high = falling ? a : b, low = falling ? b : a;
  if (low == -std::numeric_limits<double>::infinity()) return high;
  return high + std::log1p(std::exp(low - high));
}

/// Nodes (t, u) with t in 0 … frames, u in 0 … labels. An alignment is a path from (0, 0) to
/// (frames, labels). Each frame has the arcs of `width` states from first[t] on; no alignment
/// passes through the others.
template <class T>
class ArcLattice {
 public:
  /// Log-probabilities of one kind of arcs, or their flows: (frames, columns), rows `stride` apart.
  template <class Number>
  struct Rows {
    Number* data;
    int64_t stride, columns;
    Number& at(int64_t t, int64_t i) const { return data[t * stride + i]; }
  };
  struct Shape {
    int64_t frames, labels, width;
    const int64_t* first = nullptr;  ///< of each frame, ≥ 0; nullptr: all are 0
    bool same_frame = true;          ///< a label leads to its own frame, else to the next
  };

  /// The arcs of a last state's label are not read: `label` may have width − 1 columns.
  ArcLattice(const Shape& shape, Rows<const T> blank, Rows<const T> label)
      : shape_(shape), blank_(blank), label_(label) {}

  /// Log-probability of all alignments; −∞ without an alignment, NaN if an arc is NaN or +∞,
  /// whether or not an alignment uses it.
  double forward() {
    alpha_.assign(size_t((shape_.frames + 1) * shape_.width), kImpossible);
    if (shape_.frames == 0) return kImpossible;
    if (has_broken_arc()) return std::numeric_limits<double>::quiet_NaN();
    if (const int64_t start = node_of_state(0, 0); start >= 0) alpha_[size_t(start)] = 0;
    for (int64_t t = 0; t < shape_.frames; ++t)
      for (int64_t i = 0; i < count(t); ++i) {
        const double here = alpha_[node(t, i)];
        if (const int64_t next = after_blank(t, i); next >= 0)
          alpha_[size_t(next)] = log_of_sum(alpha_[size_t(next)], here + blank_.at(t, i));
        if (const int64_t next = after_label(t, i); next >= 0)
          alpha_[size_t(next)] = log_of_sum(alpha_[size_t(next)], here + label_.at(t, i));
      }
    return alpha_[end()];
  }

  /// Probabilities that an alignment uses the arcs, after forward() returned a finite `total`. May
  /// overwrite the arcs. Zero where there is no such arc.
  void flows(double total, Rows<T> blank_flow, Rows<T> label_flow) const {
    std::vector<double> beta(alpha_.size(), kImpossible);
    beta[end()] = 0;
    for (int64_t t = shape_.frames; t-- > 0;)
      for (int64_t i = shape_.width; i-- > 0;) {
        double by_blank = kImpossible, by_label = kImpossible;
        if (i < count(t)) {
          if (const int64_t next = after_blank(t, i); next >= 0)
            by_blank = beta[size_t(next)] + blank_.at(t, i);
          if (const int64_t next = after_label(t, i); next >= 0)
            by_label = beta[size_t(next)] + label_.at(t, i);
        }
        beta[node(t, i)] = log_of_sum(by_blank, by_label);
        const double here = alpha_[node(t, i)] - total;
        blank_flow.at(t, i) = static_cast<T>(std::exp(here + by_blank));
        if (i < label_flow.columns) label_flow.at(t, i) = static_cast<T>(std::exp(here + by_label));
      }
  }

 private:
  static constexpr double kImpossible = -std::numeric_limits<double>::infinity();

  bool has_broken_arc() const {
    const auto broken = [](T arc) { return !(arc < std::numeric_limits<T>::infinity()); };
    for (int64_t t = 0; t < shape_.frames; ++t)
      for (int64_t i = 0; i < count(t); ++i) {
        const bool has_label = first(t) + i < shape_.labels;
        if (broken(blank_.at(t, i)) || (has_label && broken(label_.at(t, i)))) return true;
      }
    return false;
  }

  // After the last frame only the last state matters.
  int64_t first(int64_t t) const {
    if (t == shape_.frames) return std::max<int64_t>(0, shape_.labels + 1 - shape_.width);
    return shape_.first == nullptr ? 0 : shape_.first[t];
  }
  int64_t count(int64_t t) const {
    return std::clamp<int64_t>(shape_.labels + 1 - first(t), 0, shape_.width);
  }
  size_t node(int64_t t, int64_t i) const { return size_t(t * shape_.width + i); }
  /// A node, or −1 if the frame has no such state.
  int64_t node_of_state(int64_t t, int64_t u) const {
    const int64_t i = u - first(t);
    return i >= 0 && i < count(t) ? t * shape_.width + i : -1;
  }
  size_t end() const { return size_t(node_of_state(shape_.frames, shape_.labels)); }
  int64_t after_blank(int64_t t, int64_t i) const { return node_of_state(t + 1, first(t) + i); }
  int64_t after_label(int64_t t, int64_t i) const {
    return node_of_state(shape_.same_frame ? t : t + 1, first(t) + i + 1);
  }

  Shape shape_;
  Rows<const T> blank_, label_;
  std::vector<double> alpha_;
};

}  // namespace scion
