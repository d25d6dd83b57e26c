// The plan: everything that a selection decides, as data. Printed, kept beside the student, and
// applied by one function.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "scion/nn/module.h"
#include "scion/selection/rules.h"
#include "scion/selection/scores.h"

namespace scion {

/// The indices of one leaf, of kernel taps or of the vocabulary, chosen once for all tensors.
struct LeafChoice {
  std::string student, teacher;  ///< full names
  int64_t teacher_size = 0;
  /// One a student element: ascending, but in the vocabulary, where −1 is a piece that the teacher
  /// lacks.
  Indices indices;
  double scale = 1;  ///< of what every tensor holds along this leaf

  bool whole() const { return static_cast<int64_t>(indices.size()) == teacher_size; }
};

/// What becomes of one student tensor.
struct TensorChoice {
  enum class Action {
    copied,   ///< whole
    cropped,  ///< part of the teacher's
    random,   ///< stays as it was initialised; `reason` says why
  };
  std::string student, teacher;
  Action action = Action::copied;
  std::string reason;
  int64_t elements = 0;  ///< of the student's tensor
  int64_t left = 0;      ///< of these, how many stay as they were initialised
  double scale = 1;      ///< of what is copied
};

/// What the leaves of a plan are.
enum class Grain {
  leaf,     ///< those that the models register
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
  /// UserError naming the key when the JSON is no plan.
  static Plan from_json(const nlohmann::json& json, const std::string& place);
  /// The same of a file's text.
  static Plan parse(std::string_view text, const std::string& place);
  /// For a reader, 100 columns wide: the layer map, leaves with sizes and shortened index lists
  /// (those that repeat in every layer once), rescalings, what stays random, shares.
  std::string to_text() const;
};

/// Elements of a student: copied in whole tensors, copied from larger tensors, as initialised.
struct PlanShares {
  int64_t copied = 0, cropped = 0, random = 0;
  int64_t all() const { return copied + cropped + random; }
  std::string to_text() const;  ///< "61.0 % cropped, 39.0 % copied whole"
};
PlanShares plan_shares(const Plan& plan);

/// Decides. UserError naming the parameter or leaf when the student cannot be taken from the
/// teacher: more layers or elements, a tensor the teacher lacks, fixed sizes that differ. `scores`
/// of the teacher's leaves are for elements = "activation"; `pieces` has the teacher's label for
/// every one of the student's, −1 where it has none, and is empty where their vocabulary is the
/// same.
Plan make_plan(const Registry& teacher, const Registry& student, const SelectionRules& rules,
               const LeafScores& scores = {}, const Indices& pieces = {});

/// Copies into `student` what the plan says; what it leaves random keeps its values. UserError
/// when it was made for other models.
void apply_plan(const Plan& plan, const Registry& teacher, Registry& student);

/// What one dimension of a student's tensor takes.
struct DimensionChoice {
  Indices indices;             ///< the teacher's element of each of the student's; −1: none
  std::vector<double> scales;  ///< of each, by its leaves
};

/// Looks up what a plan, which must outlive it, says of tensors.
class PlanLookup {
 public:
  explicit PlanLookup(const Plan& plan);
  /// nullptr for a tensor that the plan does not have.
  const TensorChoice* tensor(const std::string& student) const;
  /// Of dimension `d` of two tensors that belong together. UserError when the plan was made for
  /// others.
  DimensionChoice dimension(const Parameter& teacher, const Parameter& student, size_t d) const;

 private:
  const LeafChoice& leaf(const Axis& teacher, const Axis& student) const;
  std::vector<double> scales(const Axis& student) const;

  const Plan& plan_;
  std::map<std::string, const LeafChoice*> leaves_;
  std::map<std::string, const TensorChoice*> tensors_;
};

/// The plan that does in one step what `first` (teacher → middle), then `second` (middle →
/// student) do.
Plan compose(const Plan& first, const Plan& second);

/// The axes of a parameter, of the leaves that a plan of this grain has.
std::vector<Axis> plan_axes(const Parameter& parameter, Grain grain);

}  // namespace scion
