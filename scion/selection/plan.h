// The plan: every decision of a selection as data. It is printed, stored with the student, and
// applied by one function.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "scion/nn/module.h"
#include "scion/selection/rules.h"
#include "scion/selection/scores.h"

namespace scion {

/// Indices of one leaf, of kernel taps or of the vocabulary, chosen once for all tensors.
struct LeafChoice {
  std::string student, teacher;  ///< full names
  int64_t teacher_size = 0;
  /// Teacher element of each student element, ascending; in the vocabulary in any order, and −1 for
  /// a piece that the teacher lacks.
  Indices indices;
  double scale = 1;  ///< multiplies every tensor along this leaf

  bool whole() const { return static_cast<int64_t>(indices.size()) == teacher_size; }
};

/// The decision on one student tensor.
struct TensorChoice {
  enum class Action {
    copied,   ///< whole
    cropped,  ///< part of the teacher's
    random,   ///< remains as initialised, for `reason`
  };
  std::string student, teacher;
  Action action = Action::copied;
  std::string reason;
  int64_t elements = 0;  ///< of the student's tensor
  int64_t left = 0;      ///< of these, the number that remain as initialised
  double scale = 1;      ///< multiplies what is copied
};

/// Unit of selection: what a plan takes for a leaf.
enum class Grain {
  leaf,     ///< the leaves that the models register
  spliced,  ///< the same, but heads × width is one leaf
  tensor,   ///< every dimension of every tensor
};
Grain grain_of(const SelectionRules& rules);

struct Plan {
  Grain grain = Grain::leaf;
  std::map<std::string, std::vector<int64_t>> layers;  ///< stack → teacher layer of each layer
  std::vector<LeafChoice> leaves;
  std::vector<TensorChoice> tensors;

  const LeafChoice* find_leaf(const std::string& student) const;
  nlohmann::json to_json() const;
  /// UserError naming the key if the JSON is not a plan.
  static Plan from_json(const nlohmann::json& json, const std::string& place);
  /// from_json() of a text.
  static Plan parse(std::string_view text, const std::string& place);
  /// 100 columns wide: the layer map, leaves with sizes and shortened index lists (once if they
  /// repeat in every layer), rescalings, what stays random, shares.
  std::string to_text() const;
};

/// Numbers of a student's elements: copied in whole tensors, cropped from larger ones, random.
struct PlanShares {
  int64_t copied = 0, cropped = 0, random = 0;
  int64_t all() const { return copied + cropped + random; }
  std::string to_text() const;  ///< "61.0 % cropped, 39.0 % copied whole"
};
PlanShares plan_shares(const Plan& plan);

/// Makes the plan. `scores` of the teacher's leaves are needed for elements = "activation".
/// `pieces` has the teacher's label of each student label, −1 if there is none; it is empty if the
/// models share a vocabulary. UserError naming the parameter or leaf if the student cannot be taken
/// from the teacher: more layers or elements, a tensor the teacher lacks, fixed sizes that differ.
Plan make_plan(const Registry& teacher, const Registry& student, const SelectionRules& rules,
               const LeafScores& scores = {}, const Indices& pieces = {});

/// Copies the teacher's values into `student`; what the plan leaves random keeps its values.
/// UserError if the plan was made for other models.
void apply_plan(const Plan& plan, const Registry& teacher, Registry& student);

/// The teacher's elements in one dimension of a student's tensor.
struct DimensionChoice {
  Indices indices;             ///< teacher element of each student element; −1: none
  std::vector<double> scales;  ///< of each student element, by its leaves
};

/// Index of a plan by tensor. The plan must outlive it.
class PlanLookup {
 public:
  explicit PlanLookup(const Plan& plan);
  /// nullptr for a tensor that is not in the plan.
  const TensorChoice* tensor(const std::string& student) const;
  /// The choice in dimension `d` of two corresponding tensors. UserError if the plan was made for
  /// others.
  DimensionChoice dimension(const Parameter& teacher, const Parameter& student, size_t d) const;

 private:
  const LeafChoice& leaf(const Axis& teacher, const Axis& student) const;
  std::vector<double> scales(const Axis& student) const;

  const Plan& plan_;
  std::map<std::string, const LeafChoice*> leaves_;
  std::map<std::string, const TensorChoice*> tensors_;
};

/// The plan that equals `first` (teacher → middle) followed by `second` (middle → student).
Plan compose(const Plan& first, const Plan& second);

/// The axes of a parameter, in the leaves of a plan of this grain.
std::vector<Axis> plan_axes(const Parameter& parameter, Grain grain);

}  // namespace scion
