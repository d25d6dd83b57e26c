#include "scion/selection/plan.h"

#include <set>

#include "scion/core/error.h"

namespace scion {
namespace {

using Action = TensorChoice::Action;

const std::vector<std::pair<Action, std::string>> action_names = {
    {Action::copied, "copied"}, {Action::selected, "selected"}, {Action::random, "random"}};

std::string action_name(Action action) {
  for (const auto& [value, name] : action_names)
    if (value == action) return name;
  return "";
}

// "encoder.layers.1.x" → "encoder.layers.3.x" when student layer 1 is taken from teacher layer 3.
std::string teacher_name(const std::string& student,
                         const std::map<std::string, std::vector<int64_t>>& layers) {
  for (const auto& [prefix, map] : layers) {
    if (student.rfind(prefix + ".", 0) != 0) continue;
    const size_t begin = prefix.size() + 1, end = student.find('.', begin);
    const size_t index = std::stoul(student.substr(begin, end - begin));
    return prefix + "." + std::to_string(map.at(index)) + student.substr(end);
  }
  return student;
}

bool stays_random(const std::string& name, const SelectionRules& rules) {
  return std::any_of(rules.partial.begin(), rules.partial.end(),
                     [&](const std::string& prefix) { return name.rfind(prefix, 0) == 0; });
}

// Position tables follow their leaf; where leaves are ignored, the student's own stay.
bool is_position_table(const Parameter& parameter) {
  return !parameter.trainable && parameter.name == "encoder.frequencies";
}

std::string shape_text(const at::Tensor& tensor) {
  return fmt::format("({})", fmt::join(tensor.sizes(), ", "));
}

// What no plan is made for yet.
void check_implemented(const SelectionRules& rules, const LeafScores& scores) {
  if (rules.elements == "activation" && scores.empty())
    throw UserError("elements = activation needs activations, and there is no calibration audio",
                    "give some: scion select --calibration MANIFEST; ten minutes suffice");
  const bool scored = rules.elements == "magnitude" || rules.elements == "activation";
  if (scored || rules.heads != "whole" || rules.taps != "crop" || rules.rescale != "none")
    throw UserError("scores, spliced and ranked heads, spaced taps and rescaling are not here yet",
                    "choose elements = even, heads = whole, taps = crop, rescale = none");
}

class PlanMaker {
 public:
  PlanMaker(const Registry& teacher, const Registry& student, const SelectionRules& rules)
      : teacher_(teacher), student_(student), rules_(rules) {}

  Plan make() {
    plan_.per_tensor = rules_.per_tensor;
    map_layers();
    for (const Parameter& parameter : student_.all()) decide(parameter);
    return std::move(plan_);
  }

 private:
  void map_layers() {
    for (const LayerStack& stack : student_.stacks())
      for (const LayerStack& other : teacher_.stacks())
        if (other.prefix == stack.prefix)
          plan_.layers[stack.prefix] = select_layers(rules_.layers, other.count, stack.count);
  }

  void decide(const Parameter& student) {
    TensorChoice choice{student.name, "", Action::random, "", student.tensor.numel()};
    if (stays_random(student.name, rules_)) {
      choice.reason = "asked for by --partial";
    } else if (rules_.per_tensor && is_position_table(student)) {
      choice.reason = "the per-tensor rule keeps the student's own positions";
    } else {
      const Parameter& teacher = counterpart(student);
      choice.teacher = teacher.name;
      choice.action =
          teacher.tensor.sizes() == student.tensor.sizes() ? Action::copied : Action::selected;
      choose_leaves(teacher, student);
    }
    plan_.tensors.push_back(std::move(choice));
  }

  const Parameter& counterpart(const Parameter& student) const {
    const std::string name = teacher_name(student.name, plan_.layers);
    const Parameter* teacher = teacher_.find(name);
    if (teacher == nullptr || teacher->axes.size() != student.axes.size())
      throw UserError(
          fmt::format("the student's parameter '{}' {} has no counterpart '{}' in the teacher",
                      student.name, shape_text(student.tensor), name),
          fmt::format("give both models the same kind of layers, or leave it random: --partial {}",
                      student.name));
    return *teacher;
  }

  // Chooses the leaves of a tensor that no tensor before it has chosen, and checks that the two
  // tensors agree.
  void choose_leaves(const Parameter& teacher, const Parameter& student) {
    const std::vector<Axis> teacher_axes = plan_axes(teacher, rules_.per_tensor);
    const std::vector<Axis> student_axes = plan_axes(student, rules_.per_tensor);
    try {
      for (size_t d = 0; d < student_axes.size(); ++d) choose(teacher_axes[d], student_axes[d]);
    } catch (const UserError& error) {
      throw UserError(fmt::format("parameter '{}' {} from '{}' {}: {}", student.name,
                                  shape_text(student.tensor), teacher.name,
                                  shape_text(teacher.tensor), error.what()),
                      error.hint());
    }
  }

  void choose(const Axis& teacher, const Axis& student) {
    std::vector<const Axis*> teacher_leaves;
    teacher.visit_leaves([&](const Axis& leaf) { teacher_leaves.push_back(&leaf); });
    size_t next = 0;
    resolve_indices(teacher, student, [&](const Axis& leaf) -> const Indices& {
      if (next >= teacher_leaves.size())
        throw UserError(fmt::format("the teacher's dimension is {}, the student's {}",
                                    teacher.to_string(), student.to_string()),
                        "select between models of the same kind");
      return choose_leaf(*teacher_leaves[next++], leaf);
    });
  }

  const Indices& choose_leaf(const Axis& teacher, const Axis& student) {
    const auto known = chosen_.find(student.name());
    if (known != chosen_.end()) return plan_.leaves[known->second].indices;
    chosen_[student.name()] = plan_.leaves.size();
    plan_.leaves.push_back(
        {student.name(), teacher.name(), teacher.size(),
         select_elements(rules_, student.name(), teacher.size(), student.size())});
    return plan_.leaves.back().indices;
  }

  const Registry &teacher_, &student_;
  const SelectionRules& rules_;
  Plan plan_;
  std::map<std::string, size_t> chosen_;
};

// "0 2 4 … 186 188 190 (96 of 192)"
std::string shortened(const LeafChoice& leaf) {
  const Indices& all = leaf.indices;
  std::string text;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all.size() > 8 && i == 3) {
      text += "… ";
      i = all.size() - 3;
    }
    text += std::to_string(all[i]) + " ";
  }
  return text;
}

std::string share_text(const Plan& plan) {
  std::map<Action, int64_t> elements;
  int64_t total = 0;
  for (const TensorChoice& tensor : plan.tensors) {
    elements[tensor.action] += tensor.elements;
    total += tensor.elements;
  }
  std::vector<std::string> parts;
  for (const auto& [action, name] : action_names)
    if (elements.contains(action))
      parts.push_back(
          fmt::format("{} {} ({:.1f} %)", name, elements[action],
                      100.0 * static_cast<double>(elements[action]) / static_cast<double>(total)));
  return fmt::format("elements: {} in all; {}", total, fmt::join(parts, ", "));
}

}  // namespace

std::vector<Axis> plan_axes(const Parameter& parameter, bool per_tensor) {
  if (!per_tensor) return parameter.axes;
  std::vector<Axis> axes;
  for (int64_t d = 0; d < parameter.tensor.dim(); ++d)
    axes.push_back(Axis::leaf(fmt::format("{}#{}", parameter.name, d), parameter.tensor.size(d)));
  return axes;
}

const LeafChoice* Plan::find_leaf(const std::string& student) const {
  for (const LeafChoice& leaf : leaves)
    if (leaf.student == student) return &leaf;
  return nullptr;
}

Plan make_plan(const Registry& teacher, const Registry& student, const SelectionRules& rules,
               const LeafScores& scores) {
  check_implemented(rules, scores);
  return PlanMaker(teacher, student, rules).make();
}

void apply_plan(const Plan& plan, const Registry& teacher, Registry& student) {
  const at::NoGradGuard no_grad;
  std::map<std::string, const Indices*> leaves;
  for (const LeafChoice& leaf : plan.leaves) leaves[leaf.student] = &leaf.indices;
  const auto choice = [&](const Axis& leaf) -> const Indices& { return *leaves.at(leaf.name()); };
  for (const TensorChoice& tensor : plan.tensors) {
    if (tensor.action == Action::random) continue;
    const Parameter *from = teacher.find(tensor.teacher), *to = student.find(tensor.student);
    if (from == nullptr || to == nullptr)
      throw UserError(fmt::format("the plan takes '{}' from '{}', which these models lack",
                                  tensor.student, tensor.teacher),
                      "make the plan anew for these two models");
    const std::vector<Axis> from_axes = plan_axes(*from, plan.per_tensor);
    const std::vector<Axis> to_axes = plan_axes(*to, plan.per_tensor);
    at::Tensor part = from->tensor;
    for (size_t d = 0; d < to_axes.size(); ++d) {
      const Indices indices = resolve_indices(from_axes[d], to_axes[d], choice);
      part = part.index_select(static_cast<int64_t>(d), at::tensor(indices).to(part.device()));
    }
    to->tensor.copy_(part);
  }
}

Plan compose(const Plan& first, const Plan& second) {
  Plan plan;
  plan.per_tensor = second.per_tensor;
  for (const auto& [stack, map] : second.layers)
    for (const int64_t layer : map)
      plan.layers[stack].push_back(first.layers.at(stack).at(static_cast<size_t>(layer)));
  for (const LeafChoice& leaf : second.leaves) {
    const LeafChoice* middle = first.find_leaf(leaf.teacher);
    if (middle == nullptr)
      throw UserError(fmt::format("the first plan does not choose the leaf '{}'", leaf.teacher),
                      "compose plans that meet in one model and are made by like rules");
    LeafChoice through{leaf.student, middle->teacher, middle->teacher_size, {}};
    for (const int64_t i : leaf.indices)
      through.indices.push_back(middle->indices.at(static_cast<size_t>(i)));
    plan.leaves.push_back(std::move(through));
  }
  std::map<std::string, const TensorChoice*> middle;
  for (const TensorChoice& tensor : first.tensors) middle[tensor.student] = &tensor;
  for (TensorChoice tensor : second.tensors) {
    if (tensor.action != Action::random) {
      const TensorChoice& before = *middle.at(tensor.teacher);
      tensor.teacher = before.teacher;
      tensor.reason = before.reason;
      if (before.action != Action::copied) tensor.action = before.action;
    }
    plan.tensors.push_back(std::move(tensor));
  }
  return plan;
}

nlohmann::json Plan::to_json() const {
  nlohmann::json json = {
      {"format", "scion-plan-1"}, {"per_tensor", per_tensor}, {"layers", layers}};
  json["leaves"] = nlohmann::json::array();
  for (const LeafChoice& leaf : leaves)
    json["leaves"].push_back({{"student", leaf.student},
                              {"teacher", leaf.teacher},
                              {"teacher_size", leaf.teacher_size},
                              {"indices", leaf.indices}});
  json["tensors"] = nlohmann::json::array();
  for (const TensorChoice& tensor : tensors) {
    nlohmann::json entry = {{"student", tensor.student},
                            {"action", action_name(tensor.action)},
                            {"elements", tensor.elements}};
    if (!tensor.teacher.empty()) entry["teacher"] = tensor.teacher;
    if (!tensor.reason.empty()) entry["reason"] = tensor.reason;
    json["tensors"].push_back(std::move(entry));
  }
  return json;
}

Plan Plan::from_json(const nlohmann::json& json, const std::string& place) {
  Plan plan;
  try {
    if (json.at("format") != "scion-plan-1")
      throw UserError(fmt::format("{}: not a plan", place), "name a plan that scion select wrote");
    plan.per_tensor = json.at("per_tensor").get<bool>();
    json.at("layers").get_to(plan.layers);
    for (const auto& leaf : json.at("leaves"))
      plan.leaves.push_back({leaf.at("student"), leaf.at("teacher"), leaf.at("teacher_size"),
                             leaf.at("indices").get<Indices>()});
    for (const auto& tensor : json.at("tensors")) {
      TensorChoice choice{tensor.at("student"), tensor.value("teacher", ""), Action::random,
                          tensor.value("reason", ""), tensor.at("elements")};
      const std::string name = tensor.at("action");
      const auto found = std::find_if(action_names.begin(), action_names.end(),
                                      [&](const auto& entry) { return entry.second == name; });
      if (found == action_names.end())
        throw UserError(fmt::format("{}: unknown action '{}'", place, name), "make the plan anew");
      choice.action = found->first;
      plan.tensors.push_back(std::move(choice));
    }
  } catch (const nlohmann::json::exception& error) {
    throw UserError(fmt::format("{}: broken plan: {}", place, error.what()), "make the plan anew");
  }
  return plan;
}

std::string Plan::to_text() const {
  std::string text;
  for (const auto& [stack, map] : layers)
    text += fmt::format("layers  {} ← teacher's {}\n", stack, fmt::join(map, ", "));
  text += fmt::format("\n{:<48} {:>7} {:>8}  {}\n", "leaf", "student", "teacher", "indices");
  for (const LeafChoice& leaf : leaves)
    text += fmt::format("{:<48} {:>7} {:>8}  {}\n", leaf.student, leaf.indices.size(),
                        leaf.teacher_size, shortened(leaf));
  for (const TensorChoice& tensor : tensors)
    if (tensor.action == Action::random)
      text += fmt::format("random  {}  ({})\n", tensor.student, tensor.reason);
  return text + "\n" + share_text(*this) + "\n";
}

}  // namespace scion
