// The plan: everything that a selection decides, as data. Printed, kept beside the student, and
// applied by one function.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "scion/model/module.h"
#include "scion/selection/rules.h"
#include "scion/selection/scores.h"

namespace scion {

/// The indices of one leaf, chosen once for all tensors.
struct LeafChoice {
  std::string student, teacher;  ///< full names
  int64_t teacher_size = 0;
  Indices indices;  ///< ascending, one a student element
};

/// What becomes of one student tensor.
struct TensorChoice {
  enum class Action {
    copied,    ///< whole
    selected,  ///< part of the teacher's
    random,    ///< stays as it was initialised; `reason` says why
  };
  std::string student, teacher;
  Action action = Action::copied;
  std::string reason;
  int64_t elements = 0;  ///< of the student's tensor
};

struct Plan {
  bool per_tensor = false;                             ///< leaves are single tensor dimensions
  std::map<std::string, std::vector<int64_t>> layers;  ///< stack → teacher layer of each layer
  std::vector<LeafChoice> leaves;
  std::vector<TensorChoice> tensors;

  const LeafChoice* find_leaf(const std::string& student) const;
  nlohmann::json to_json() const;
  /// UserError naming the key when the JSON is no plan.
  static Plan from_json(const nlohmann::json& json, const std::string& place);
  /// The layer map, every leaf with its sizes and a shortened index list, what stays random, and
  /// the share of elements copied, selected, random.
  std::string to_text() const;
};

/// Decides. UserError naming the parameter or leaf when the student cannot be taken from the
/// teacher: more layers or elements, a tensor the teacher lacks, fixed sizes that differ. `scores`
/// of the teacher's leaves are for elements = "activation".
Plan make_plan(const Registry& teacher, const Registry& student, const SelectionRules& rules,
               const LeafScores& scores = {});

/// Copies into `student` what the plan says; tensors that the plan leaves random keep their values.
void apply_plan(const Plan& plan, const Registry& teacher, Registry& student);

/// The plan that does in one step what `first` (teacher → middle), then `second` (middle →
/// student) do.
Plan compose(const Plan& first, const Plan& second);

/// The axes that a plan's leaves stand for: the registered ones, or one leaf a dimension.
std::vector<Axis> plan_axes(const Parameter& parameter, bool per_tensor);

}  // namespace scion
