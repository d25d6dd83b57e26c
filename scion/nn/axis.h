// Axes: the structure of a tensor's dimension, which says which indices belong together.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace scion {

/// One dimension of a parameter, as a small tree:
///   leaf      elements that a selection chooses, e.g. the residual stream, the heads of one layer
///   fixed     never chosen: mel bins, 1; with a name, which must be the teacher's: durations
///   taps      kernel taps or distances: ordered, kept by their offset from an anchor
///   labels    the vocabulary: the same, or matched piece by piece
///   product   a dimension that flattens two, outer major: heads × head_dim
///   concat    a dimension that stacks several: q, k, v in one matrix; two GLU halves
/// The full name of a leaf, of taps and of labels is their identity: wherever it appears, the same
/// indices are meant.
class Axis {
 public:
  enum class Form { leaf, fixed, taps, labels, product, concat };
  /// The kind of a leaf's elements, for rules that depend on it. scaled_dot: those over which the
  /// product of query and key is summed, which is then divided by √size.
  enum class Role { plain, heads, scaled_dot };
  /// zero: distances on both sides of 0, with the same meaning in models of every size.
  enum class Anchor { centre, newest, zero };

  static Axis leaf(std::string name, int64_t size, Role role = Role::plain);
  static Axis fixed(int64_t size, std::string name = "");
  static Axis taps(std::string name, int64_t size, Anchor anchor);
  static Axis labels(int64_t size);
  static Axis product(Axis outer, Axis inner);
  static Axis concat(std::vector<Axis> parts);

  Form form() const { return form_; }
  int64_t size() const { return size_; }
  const std::string& name() const { return name_; }  ///< leaves, taps, labels, some fixed
  Role role() const { return role_; }                ///< leaves
  Anchor anchor() const { return anchor_; }          ///< taps
  const std::vector<Axis>& parts() const { return *parts_; }

  /// Number of elements for fan in and fan out: one part of a concat, because its parts are
  /// separate maps that happen to be stored together.
  int64_t fan() const;
  /// Every leaf in the tree, each once, in order of appearance.
  void visit_leaves(const std::function<void(const Axis&)>& visit) const;
  /// Leaves by their whole names or by the last part of them.
  enum class Names { full, last };
  /// "residual(96)", "heads(4) × query(24)", "[conv(96) | conv(96)]".
  std::string to_string(Names names = Names::last) const;

 private:
  Axis() = default;
  Form form_ = Form::fixed;
  int64_t size_ = 0;
  std::string name_;
  Role role_ = Role::plain;
  Anchor anchor_ = Anchor::centre;
  std::shared_ptr<const std::vector<Axis>> parts_;
};

/// For each student element, the teacher element it is copied from; −1: none.
using Indices = std::vector<int64_t>;

/// The indices chosen for a leaf, for taps or for labels, given that axis of both models.
using AxisChoice = std::function<const Indices&(const Axis& teacher, const Axis& student)>;

/// The teacher index of every student index of a dimension. UserError unless the two axes have the
/// same form.
Indices resolve_indices(const Axis& teacher, const Axis& student, const AxisChoice& choice);

}  // namespace scion
