// The one place that decides what a student's tensor takes from the teacher.
#include <numeric>
#include <optional>

#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/core/tensor_text.h"
#include "scion/selection/parameter_patterns.h"
#include "scion/selection/plan.h"

namespace scion {
namespace {

using Action = TensorChoice::Action;

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

// Position tables follow their leaf; the per-tensor rule ignores leaves, so the student keeps its
// own.
bool is_position_table(const Parameter& parameter) {
  return parameter.init.kind == Init::Kind::position_table;
}

Indices all_of(int64_t size) {
  Indices indices(static_cast<size_t>(size));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

void check_scores(const LeafScores& scores, const Registry& teacher, Grain grain) {
  std::map<std::string, int64_t> sizes;
  for (const Parameter& parameter : teacher.all())
    for (const Axis& axis : plan_axes(parameter, grain))
      axis.visit_leaves([&](const Axis& leaf) { sizes[leaf.name()] = leaf.size(); });
  std::vector<std::string> names;
  for (const auto& [name, size] : sizes) names.push_back(name);
  for (const auto& [name, values] : scores) {
    if (!sizes.contains(name)) {
      const std::string near = nearest_name(name, names);
      throw UserError(
          fmt::format("scores: the teacher has no leaf '{}'", name),
          near.empty() ? "score this teacher" : fmt::format("did you mean '{}'?", near));
    }
    if (static_cast<int64_t>(values.size()) != sizes[name])
      throw UserError(
          fmt::format("scores: {} numbers for '{}', which has {} elements in the teacher",
                      values.size(), name, sizes[name]),
          "score this teacher");
  }
}

class PlanMaker {
 public:
  PlanMaker(const Registry& teacher, const Registry& student, const SelectionRules& rules,
            const LeafScores& scores, const Indices& pieces)
      : teacher_(teacher), student_(student), rules_(rules), scores_(scores), pieces_(pieces) {}

  Plan make() {
    plan_.grain = grain_of(rules_);
    require_matches(rules_.partial, student_);
    check_scores(scores_, teacher_, grain_of(rules_));
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

  // The reason for which a parameter remains as initialised; "" if it does not.
  std::string reason_to_stay(const Parameter& student) const {
    for (const std::string& pattern : rules_.partial)
      if (matches_parameter(pattern, student.name)) return "--partial " + pattern;
    if (rules_.per_tensor && is_position_table(student))
      return "the per-tensor rule keeps the student's own positions";
    if (const Axis& axis = student.axes.front(); has_other_meaning(student, axis))
      return fmt::format("the teacher has no {}", axis.name());
    return "";
  }

  // Durations have no counterpart but the same durations: an RNN-T starts a TDT without them.
  bool has_other_meaning(const Parameter& student, const Axis& axis) const {
    if (axis.form() != Axis::Form::fixed || axis.name().empty()) return false;
    const Parameter* teacher = teacher_.find(student.name);
    return teacher == nullptr || teacher->axes.front().name() != axis.name();
  }

  void decide(const Parameter& student) {
    TensorChoice choice{student.name, "", Action::random, reason_to_stay(student),
                        student.tensor.numel()};
    choice.left = choice.elements;
    if (choice.reason.empty()) {
      const Parameter& teacher = counterpart(student);
      choice.teacher = teacher.name;
      take(teacher, student, choice);
      if (rules_.rescale == Rescaling::fan_in && student.init.kind == Init::Kind::weight)
        choice.scale = std::sqrt(static_cast<double>(teacher.fan_in()) /
                                 static_cast<double>(student.fan_in()));
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
                      lacking_part(student.name, name)));
    return *teacher;
  }

  // The largest part of the model around a parameter that the teacher lacks entirely.
  std::string lacking_part(const std::string& student, const std::string& teacher) const {
    for (size_t dot = teacher.find('.'), own = student.find('.'); dot != std::string::npos;
         dot = teacher.find('.', dot + 1), own = student.find('.', own + 1)) {
      const std::string part = teacher.substr(0, dot + 1);
      if (std::none_of(teacher_.all().begin(), teacher_.all().end(),
                       [&](const Parameter& other) { return other.name.starts_with(part); }))
        return student.substr(0, own);
    }
    return student;
  }

  // Chooses the leaves of a tensor that no earlier tensor has chosen, and checks that the two
  // tensors agree.
  void take(const Parameter& teacher, const Parameter& student, TensorChoice& choice) {
    const std::vector<Axis> teacher_axes = plan_axes(teacher, plan_.grain);
    const std::vector<Axis> student_axes = plan_axes(student, plan_.grain);
    int64_t taken = 1;
    choice.action = Action::copied;
    try {
      for (size_t d = 0; d < student_axes.size(); ++d) {
        const Indices indices = resolve_indices(
            teacher_axes[d], student_axes[d],
            [&](const Axis& from, const Axis& to) -> const Indices& { return choose(from, to); });
        if (indices != all_of(teacher_axes[d].size())) choice.action = Action::cropped;
        taken *= std::count_if(indices.begin(), indices.end(), [](int64_t i) { return i >= 0; });
      }
    } catch (const UserError& error) {
      throw UserError(fmt::format("parameter '{}' {} from '{}' {}: {}", student.name,
                                  shape_text(student.tensor), teacher.name,
                                  shape_text(teacher.tensor), error.what()),
                      error.hint());
    }
    choice.left = choice.elements - taken;
  }

  const Indices& choose(const Axis& teacher, const Axis& student) {
    const auto [known, unknown] = chosen_.emplace(student.name(), plan_.leaves.size());
    if (unknown) {
      LeafChoice leaf{student.name(), teacher.name(), teacher.size(), {}};
      leaf.indices = student.form() == Axis::Form::labels ? choose_labels(teacher, student)
                     : student.form() == Axis::Form::taps
                         ? select_taps(rules_, teacher.size(), student.size(), student.anchor())
                         : choose_elements(teacher, student);
      leaf.scale = attention_scale(teacher, student);
      plan_.leaves.push_back(std::move(leaf));
    }
    return plan_.leaves[known->second].indices;
  }

  Indices choose_labels(const Axis& teacher, const Axis& student) const {
    if (!pieces_.empty() && static_cast<int64_t>(pieces_.size()) == student.size()) return pieces_;
    if (teacher.size() == student.size()) return all_of(student.size());
    throw UserError(fmt::format("the teacher's vocabulary has {} pieces, the student's {}",
                                teacher.size(), student.size()),
                    "give the student's tokenizer, and pieces that both have are matched");
  }

  Indices choose_elements(const Axis& teacher, const Axis& student) {
    require_enough(teacher, student);
    if (teacher.size() == student.size()) return all_of(student.size());
    if (student.role() == Axis::Role::heads && rules_.heads == HeadRule::ranked)
      return highest(rank_of(teacher), student.size());
    return select_elements(rules_, student.name(), teacher.size(), student.size(),
                           scores_of(teacher));
  }

  void require_enough(const Axis& teacher, const Axis& student) const {
    if (student.size() <= teacher.size()) return;
    const bool heads = student.role() == Axis::Role::heads && plan_.grain != Grain::spliced;
    throw UserError(
        fmt::format("leaf '{}': the student has {} elements, the teacher {}", student.name(),
                    student.size(), teacher.size()),
        fmt::format("{}make the student's dimension at most the teacher's, or leave its parameters "
                    "random with --partial",
                    heads ? "take heads apart with --heads spliced, " : ""));
  }

  // Scores of attention heads, by their outputs.
  const std::vector<double>& rank_of(const Axis& heads) {
    const auto given = scores_.find(heads.name());
    if (given != scores_.end()) return given->second;
    if (!ranks_) ranks_ = head_output_scores(teacher_);
    return ranks_->at(heads.name());
  }

  // Scores for the rules that keep the best elements; none for others.
  const std::vector<double>& scores_of(const Axis& leaf) {
    static const std::vector<double> none;
    if (rules_.elements != ElementRule::magnitude && rules_.elements != ElementRule::activation)
      return none;
    const auto given = scores_.find(leaf.name());
    if (rules_.elements == ElementRule::activation && given != scores_.end()) return given->second;
    if (!magnitudes_) magnitudes_ = magnitude_scores(teacher_, plan_.grain);
    return magnitudes_->at(leaf.name());
  }

  // The product of a query and a key is summed over fewer elements than in the teacher and divided
  // by a smaller root. Together they are scaled by √(student's / teacher's), each by the root of
  // that.
  double attention_scale(const Axis& teacher, const Axis& student) const {
    if (student.role() != Axis::Role::scaled_dot || !rules_.attention_scale) return 1;
    return std::pow(static_cast<double>(student.size()) / static_cast<double>(teacher.size()),
                    0.25);
  }

  const Registry &teacher_, &student_;
  const SelectionRules& rules_;
  const LeafScores& scores_;
  const Indices& pieces_;
  std::optional<LeafScores> ranks_, magnitudes_;
  Plan plan_;
  std::map<std::string, size_t> chosen_;
};

}  // namespace

Plan make_plan(const Registry& teacher, const Registry& student, const SelectionRules& rules,
               const LeafScores& scores, const Indices& pieces) {
  if (rules.elements == ElementRule::activation && scores.empty())
    throw UserError("elements = activation needs calibration audio",
                    "give some: scion select --calibration MANIFEST; ten minutes suffice");
  return PlanMaker(teacher, student, rules, scores, pieces).make();
}

}  // namespace scion
