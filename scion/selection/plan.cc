#include "scion/selection/plan.h"

#include "scion/core/error.h"

namespace scion {
namespace {

using Action = TensorChoice::Action;

// Heads × width as one leaf.
Axis spliced(const Axis& axis) {
  if (axis.form() == Axis::Form::product) {
    const Axis &outer = axis.parts()[0], &inner = axis.parts()[1];
    if (outer.role() != Axis::Role::heads) return Axis::product(spliced(outer), spliced(inner));
    const std::string part = inner.name().substr(inner.name().rfind('.') + 1);
    return Axis::leaf(outer.name() + "×" + part, axis.size());
  }
  if (axis.form() == Axis::Form::concat) {
    std::vector<Axis> parts;
    for (const Axis& part : axis.parts()) parts.push_back(spliced(part));
    return Axis::concat(std::move(parts));
  }
  return axis;
}

at::Tensor scaled(const at::Tensor& values, const std::vector<double>& scales, size_t dimension) {
  if (std::all_of(scales.begin(), scales.end(), [](double scale) { return scale == 1; }))
    return values;
  std::vector<int64_t> shape(static_cast<size_t>(values.dim()), 1);
  shape[dimension] = -1;
  return values * at::tensor(scales).to(values.options()).view(shape);
}

// Reduces `values` to the elements that a dimension takes from the teacher; returns their places in
// the student.
Indices take(const DimensionChoice& choice, size_t dimension, at::Tensor& values) {
  Indices taken, places;
  std::vector<double> scales;
  for (size_t i = 0; i < choice.indices.size(); ++i) {
    if (choice.indices[i] < 0) continue;
    taken.push_back(choice.indices[i]);
    places.push_back(static_cast<int64_t>(i));
    scales.push_back(choice.scales[i]);
  }
  const at::Tensor index = at::tensor(taken, at::kLong).to(values.device());
  values = scaled(values.index_select(static_cast<int64_t>(dimension), index), scales, dimension);
  return places;
}

void copy_tensor(const PlanLookup& plan, double scale, const Parameter& from, const Parameter& to) {
  at::Tensor values = scale == 1 ? from.tensor : from.tensor * scale;
  int64_t gap = -1;  // the dimension in which some of the student's elements remain
  Indices gap_places;
  for (size_t d = 0; d < to.axes.size(); ++d) {
    const Indices places = take(plan.dimension(from, to, d), d, values);
    if (static_cast<int64_t>(places.size()) == to.tensor.size(static_cast<int64_t>(d))) continue;
    TORCH_CHECK(gap < 0, "two dimensions with gaps: ", to.name);
    gap = static_cast<int64_t>(d);
    gap_places = places;
  }
  if (gap < 0)
    to.tensor.copy_(values);
  else
    to.tensor.index_copy_(gap, at::tensor(gap_places, at::kLong).to(values.device()), values);
}

// A choice from a model whose tensor was itself chosen by `before`.
TensorChoice through(TensorChoice tensor, const TensorChoice& before) {
  tensor.teacher = before.teacher;
  tensor.reason = before.reason;
  tensor.scale *= before.scale;
  if (before.action == Action::copied) return tensor;
  tensor.action = before.action;
  if (before.action != Action::random) return tensor;
  tensor.left = tensor.elements;
  tensor.scale = 1;
  return tensor;
}

LeafChoice through(const LeafChoice& leaf, const LeafChoice& before) {
  LeafChoice result{leaf.student, before.teacher, before.teacher_size, {}};
  result.scale = leaf.scale * before.scale;
  for (const int64_t i : leaf.indices)
    result.indices.push_back(i < 0 ? -1 : before.indices.at(static_cast<size_t>(i)));
  return result;
}

// Elements of a tensor of labels whose pieces the teacher lacks.
int64_t left_by_vocabulary(const Plan& plan, int64_t elements) {
  const LeafChoice* vocabulary = plan.find_leaf("vocabulary");
  if (vocabulary == nullptr) return 0;
  const auto all = static_cast<int64_t>(vocabulary->indices.size());
  return elements / all * std::count(vocabulary->indices.begin(), vocabulary->indices.end(), -1);
}

}  // namespace

Grain grain_of(const SelectionRules& rules) {
  if (rules.per_tensor) return Grain::tensor;
  return rules.heads == HeadRule::spliced ? Grain::spliced : Grain::leaf;
}

std::vector<Axis> plan_axes(const Parameter& parameter, Grain grain) {
  if (grain == Grain::leaf) return parameter.axes;
  std::vector<Axis> axes;
  for (size_t d = 0; d < parameter.axes.size(); ++d) {
    const Axis& axis = parameter.axes[d];
    const bool given = axis.form() == Axis::Form::fixed || axis.form() == Axis::Form::labels;
    axes.push_back(grain == Grain::spliced ? spliced(axis)
                   : given                 ? axis
                           : Axis::leaf(fmt::format("{}#{}", parameter.name, d), axis.size()));
  }
  return axes;
}

const LeafChoice* Plan::find_leaf(const std::string& student) const {
  for (const LeafChoice& leaf : leaves)
    if (leaf.student == student) return &leaf;
  return nullptr;
}

PlanLookup::PlanLookup(const Plan& plan) : plan_(plan) {
  for (const LeafChoice& leaf : plan.leaves) leaves_[leaf.student] = &leaf;
  for (const TensorChoice& tensor : plan.tensors) tensors_[tensor.student] = &tensor;
}

const TensorChoice* PlanLookup::tensor(const std::string& student) const {
  const auto found = tensors_.find(student);
  return found == tensors_.end() ? nullptr : found->second;
}

const LeafChoice& PlanLookup::leaf(const Axis& teacher, const Axis& student) const {
  const auto found = leaves_.find(student.name());
  if (found == leaves_.end() || found->second->teacher_size != teacher.size() ||
      static_cast<int64_t>(found->second->indices.size()) != student.size())
    throw UserError(fmt::format("the plan has no choice of {} of the {} elements of '{}'",
                                student.size(), teacher.size(), student.name()),
                    "make a plan for these two models");
  return *found->second;
}

DimensionChoice PlanLookup::dimension(const Parameter& teacher, const Parameter& student,
                                      size_t d) const {
  const std::vector<Axis> teacher_axes = plan_axes(teacher, plan_.grain);
  const std::vector<Axis> student_axes = plan_axes(student, plan_.grain);
  return {resolve_indices(teacher_axes.at(d), student_axes.at(d),
                          [&](const Axis& from, const Axis& to) -> const Indices& {
                            return leaf(from, to).indices;
                          }),
          scales(student_axes[d])};
}

std::vector<double> PlanLookup::scales(const Axis& student) const {
  if (student.form() == Axis::Form::product) {
    const std::vector<double> inner = scales(student.parts()[1]);
    std::vector<double> all;
    for (const double o : scales(student.parts()[0]))
      for (const double i : inner) all.push_back(o * i);
    return all;
  }
  if (student.form() == Axis::Form::concat) {
    std::vector<double> all;
    for (const Axis& part : student.parts()) {
      const std::vector<double> more = scales(part);
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }
  const double scale = student.form() == Axis::Form::fixed ? 1 : leaves_.at(student.name())->scale;
  return std::vector<double>(static_cast<size_t>(student.size()), scale);
}

PlanShares plan_shares(const Plan& plan) {
  PlanShares shares;
  for (const TensorChoice& tensor : plan.tensors) {
    shares.random += tensor.left;
    (tensor.action == Action::copied ? shares.copied : shares.cropped) +=
        tensor.elements - tensor.left;
  }
  return shares;
}

void apply_plan(const Plan& plan, const Registry& teacher, Registry& student) {
  const at::NoGradGuard no_grad;
  const PlanLookup lookup(plan);
  for (const TensorChoice& tensor : plan.tensors) {
    if (tensor.action == Action::random) continue;
    const Parameter *from = teacher.find(tensor.teacher), *to = student.find(tensor.student);
    if (from == nullptr || to == nullptr || from->axes.size() != to->axes.size())
      throw UserError(fmt::format("the plan takes '{}' from '{}', which these models lack",
                                  tensor.student, tensor.teacher),
                      "make a plan for these two models");
    copy_tensor(lookup, tensor.scale, *from, *to);
  }
}

namespace {

void require_meeting(bool meets, const std::string& what) {
  if (!meets)
    throw UserError(fmt::format("the first plan does not make {} of the second", what),
                    "compose plans that meet in one model and are made by like rules");
}

std::vector<int64_t> compose_layers(const Plan& first, const std::string& stack,
                                    const std::vector<int64_t>& layers) {
  const auto found = first.layers.find(stack);
  require_meeting(found != first.layers.end(), "the layers " + stack);
  std::vector<int64_t> composed;
  for (const int64_t layer : layers) {
    require_meeting(layer < static_cast<int64_t>(found->second.size()), "the layers " + stack);
    composed.push_back(found->second[static_cast<size_t>(layer)]);
  }
  return composed;
}

}  // namespace

Plan compose(const Plan& first, const Plan& second) {
  require_meeting(first.grain == second.grain, "the leaves");
  Plan plan;
  plan.grain = second.grain;
  for (const auto& [stack, layers] : second.layers)
    plan.layers[stack] = compose_layers(first, stack, layers);
  for (const LeafChoice& leaf : second.leaves) {
    const LeafChoice* before = first.find_leaf(leaf.teacher);
    if (before == nullptr) continue;  // every tensor with it is random in the middle
    require_meeting(static_cast<int64_t>(before->indices.size()) == leaf.teacher_size,
                    "the leaf " + leaf.teacher);
    plan.leaves.push_back(through(leaf, *before));
  }
  std::map<std::string, const TensorChoice*> middle;
  for (const TensorChoice& tensor : first.tensors) middle[tensor.student] = &tensor;
  for (const TensorChoice& tensor : second.tensors) {
    plan.tensors.push_back(tensor);
    if (tensor.action == Action::random) continue;
    require_meeting(middle.contains(tensor.teacher), "the parameter " + tensor.teacher);
    const TensorChoice& before = *middle.at(tensor.teacher);
    plan.tensors.back() = through(tensor, before);
    if (before.action != Action::random && before.left + tensor.left > 0)
      plan.tensors.back().left = left_by_vocabulary(plan, tensor.elements);
  }
  return plan;
}

}  // namespace scion
