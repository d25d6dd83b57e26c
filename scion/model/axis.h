// Axes: what a tensor's dimension is made of, and therefore which of its indices belong together.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace scion {

/// One dimension of a parameter, as a small tree:
///   leaf      elements that are chosen, e.g. the residual stream, the heads of one layer
///   fixed     never chosen: vocabulary, mel bins, 1
///   taps      kernel taps, cropped around an anchor
///   product   a dimension that flattens two, outer major: heads × head_dim
///   concat    a dimension that stacks several: q, k, v in one matrix; two GLU halves
/// A leaf's full name is its identity: wherever it appears, the same indices are meant.
class Axis {
 public:
  enum class Form { leaf, fixed, taps, product, concat };
  enum class Anchor { centre, newest };

  static Axis leaf(std::string name, int64_t size);
  static Axis fixed(int64_t size);
  static Axis taps(int64_t size, Anchor anchor);
  static Axis product(Axis outer, Axis inner);
  static Axis concat(std::vector<Axis> parts);

  Form form() const { return form_; }
  int64_t size() const { return size_; }
  const std::string& name() const { return name_; }  ///< leaves only
  Anchor anchor() const { return anchor_; }          ///< taps only
  const std::vector<Axis>& parts() const { return *parts_; }

  /// Elements that one output unit's weights are counted over: a concat counts one part only,
  /// because its parts are separate maps that happen to be stored together.
  int64_t fan() const;
  /// Every leaf in the tree, each once, in order of appearance.
  void visit_leaves(const std::function<void(const Axis&)>& visit) const;
  /// "residual(96)", "heads(4) × query(24)", "[conv(96) | conv(96)]".
  std::string to_string() const;

 private:
  Axis() = default;
  Form form_ = Form::fixed;
  int64_t size_ = 0;
  std::string name_;
  Anchor anchor_ = Anchor::centre;
  std::shared_ptr<const std::vector<Axis>> parts_;
};

/// Which teacher element each student element of a leaf is taken from.
using Indices = std::vector<int64_t>;

/// For every student index of a dimension its teacher index. `choice` gives the indices of a leaf
/// by the student's leaf name. The two axes must be of the same form; UserError otherwise.
Indices resolve_indices(const Axis& teacher, const Axis& student,
                        const std::function<const Indices&(const Axis& student_leaf)>& choice);

/// Taps that are kept when a kernel is cropped: a centred kernel loses both ends alike, a causal
/// one the oldest.
Indices crop_taps(int64_t teacher, int64_t student, Axis::Anchor anchor);

}  // namespace scion
