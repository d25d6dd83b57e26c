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
///   fixed     never chosen: mel bins, 1
///   taps      kernel taps or distances: ordered, and kept by their place from an anchor
///   labels    the vocabulary: the same, or matched piece by piece
///   product   a dimension that flattens two, outer major: heads × head_dim
///   concat    a dimension that stacks several: q, k, v in one matrix; two GLU halves
/// The full name of a leaf, of taps and of labels is their identity: wherever it appears, the same
/// indices are meant.
class Axis {
 public:
  enum class Form { leaf, fixed, taps, labels, product, concat };
  /// What a leaf's elements are where a rule makes a difference. scaled_dot: those that the
  /// product of a query and a key is summed over, which is then divided by √size.
  enum class Role { plain, heads, scaled_dot };
  /// zero: distances on both sides of 0, which mean the same in models of every size.
  enum class Anchor { centre, newest, zero };

  static Axis leaf(std::string name, int64_t size, Role role = Role::plain);
  static Axis fixed(int64_t size);
  static Axis taps(std::string name, int64_t size, Anchor anchor);
  static Axis labels(int64_t size);
  static Axis product(Axis outer, Axis inner);
  static Axis concat(std::vector<Axis> parts);

  Form form() const { return form_; }
  int64_t size() const { return size_; }
  const std::string& name() const { return name_; }  ///< leaves, taps and labels
  Role role() const { return role_; }                ///< leaves
  Anchor anchor() const { return anchor_; }          ///< taps
  const std::vector<Axis>& parts() const { return *parts_; }

  /// Elements that one output unit's weights are counted over: a concat counts one part only,
  /// because its parts are separate maps that happen to be stored together.
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

/// Which teacher element each student element is taken from; −1: none.
using Indices = std::vector<int64_t>;

/// The indices of a leaf, of taps or of labels, given as it stands in the teacher and in the
/// student.
using AxisChoice = std::function<const Indices&(const Axis& teacher, const Axis& student)>;

/// For every student index of a dimension its teacher index. UserError where the two axes are not
/// of the same form.
Indices resolve_indices(const Axis& teacher, const Axis& student, const AxisChoice& choice);

}  // namespace scion
