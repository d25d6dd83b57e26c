#include "scion/selection/scores.h"

#include "scion/selection/plan.h"

namespace scion {
namespace {

using LeafPredicate = std::function<bool(const Axis& leaf)>;

// Adds energy[i], that of element i of a dimension, to the scores of the dimension's leaves.
void add_energy(const Axis& axis, const std::vector<double>& energy, const LeafPredicate& counts,
                LeafScores& scores) {
  if (axis.form() == Axis::Form::leaf && counts(axis)) {
    std::vector<double>& score = scores[axis.name()];
    score.resize(energy.size());
    for (size_t i = 0; i < energy.size(); ++i) score[i] += energy[i];
  }
  if (axis.form() == Axis::Form::product) {
    const auto inner_size = static_cast<size_t>(axis.parts()[1].size());
    std::vector<double> outer(energy.size() / inner_size), inner(inner_size);
    for (size_t i = 0; i < energy.size(); ++i) {
      outer[i / inner_size] += energy[i];
      inner[i % inner_size] += energy[i];
    }
    add_energy(axis.parts()[0], outer, counts, scores);
    add_energy(axis.parts()[1], inner, counts, scores);
  }
  if (axis.form() == Axis::Form::concat) {
    auto begin = energy.begin();
    for (const Axis& part : axis.parts()) {
      const auto end = begin + part.size();
      add_energy(part, {begin, end}, counts, scores);
      begin = end;
    }
  }
}

void add_dimension(const Parameter& parameter, const Axis& axis, int64_t dimension,
                   const LeafPredicate& counts, LeafScores& scores) {
  at::Tensor energy = parameter.tensor.detach().to(at::kCPU, at::kDouble).square();
  const double all = energy.sum().item<double>();
  if (all > 0) energy = energy / all;
  energy = energy.transpose(0, dimension).reshape({axis.size(), -1}).sum(1).contiguous();
  const auto* values = energy.const_data_ptr<double>();
  add_energy(axis, {values, values + energy.numel()}, counts, scores);
}

}  // namespace

LeafScores magnitude_scores(const Registry& teacher, Grain grain) {
  LeafScores scores;
  const auto add = [&](const Parameter& parameter, const LeafPredicate& counts) {
    const std::vector<Axis> axes = plan_axes(parameter, grain);
    for (size_t d = 0; d < axes.size(); ++d)
      add_dimension(parameter, axes[d], static_cast<int64_t>(d), counts, scores);
  };
  const auto is_matrix = [](const Parameter& parameter) {
    return parameter.trainable && parameter.tensor.dim() > 1;
  };
  for (const Parameter& parameter : teacher.all())
    if (is_matrix(parameter)) add(parameter, [](const Axis&) { return true; });
  const LeafScores of_matrices = scores;
  for (const Parameter& parameter : teacher.all())
    if (!is_matrix(parameter))
      add(parameter, [&](const Axis& leaf) { return !of_matrices.contains(leaf.name()); });
  return scores;
}

LeafScores head_output_scores(const Registry& teacher) {
  const auto is_head = [](const Axis& leaf) { return leaf.role() == Axis::Role::heads; };
  LeafScores scores;
  for (const Parameter& parameter : teacher.all())
    for (size_t d = 1; d < parameter.axes.size(); ++d) {
      bool reads_heads = false;
      parameter.axes[d].visit_leaves(
          [&](const Axis& leaf) { reads_heads = reads_heads || is_head(leaf); });
      if (reads_heads)
        add_dimension(parameter, parameter.axes[d], static_cast<int64_t>(d), is_head, scores);
    }
  return scores;
}

}  // namespace scion
