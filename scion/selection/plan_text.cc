// Plans as text, in which layers that are alike share a line.
#include <set>

#include "scion/core/error.h"
#include "scion/selection/plan.h"

namespace scion {
namespace {

using Action = TensorChoice::Action;

constexpr size_t text_columns = 100;

struct LayerName {
  std::string pattern;  // "encoder.layers.*.attention.heads"
  int64_t layer = -1;   // −1: in no stack
};

LayerName split_layer(const std::string& name, const Plan& plan) {
  for (const auto& [stack, map] : plan.layers) {
    if (!name.starts_with(stack + ".")) continue;
    const size_t begin = stack.size() + 1, end = std::min(name.find('.', begin), name.size());
    const std::string number = name.substr(begin, end - begin);
    if (number.empty() || number.size() > 6 ||
        number.find_first_not_of("0123456789") != std::string::npos)
      continue;
    return {stack + ".*" + name.substr(end), std::stoll(number)};
  }
  return {name};
}

// "0 2 4 … 90 92 94", "4–10".
std::string shortened(const Indices& all) {
  if (all.empty()) return "none";
  if (all.size() > 2 && all.back() - all.front() + 1 == static_cast<int64_t>(all.size()))
    return fmt::format("{}–{}", all.front(), all.back());
  if (all.size() <= 8) return fmt::format("{}", fmt::join(all, " "));
  const auto end = all.end();
  return fmt::format("{} … {}", fmt::join(all.begin(), all.begin() + 3, " "),
                     fmt::join(end - 3, end, " "));
}

std::string elements_text(const LeafChoice& leaf) {
  if (leaf.student == "vocabulary") {
    const auto missing = std::count(leaf.indices.begin(), leaf.indices.end(), -1);
    if (missing > 0)
      return fmt::format("{} shared, {} new", static_cast<int64_t>(leaf.indices.size()) - missing,
                         missing);
  }
  return leaf.whole() ? "all" : shortened(leaf.indices);
}

// Leaves of several layers that are alike in size and scale.
struct LeafRow {
  std::string name;
  std::vector<const LeafChoice*> leaves;
  std::set<int64_t> layers;

  const LeafChoice& first() const { return *leaves.front(); }
  bool alike(const LeafChoice& leaf) const {
    return leaf.teacher_size == first().teacher_size && leaf.scale == first().scale &&
           leaf.indices.size() == first().indices.size();
  }
  bool same_everywhere() const {
    return std::all_of(leaves.begin(), leaves.end(),
                       [&](const LeafChoice* leaf) { return leaf->indices == first().indices; });
  }
};

// A row for each leaf name. Single dimensions of tensors, of which there are hundreds, are grouped
// by their sizes alone.
std::vector<LeafRow> leaf_rows(const Plan& plan) {
  const bool single = plan.grain == Grain::tensor;
  std::vector<LeafRow> rows;
  for (const LeafChoice& leaf : plan.leaves) {
    const LayerName name = split_layer(leaf.student, plan);
    auto row = std::find_if(rows.begin(), rows.end(), [&](const LeafRow& other) {
      return (single || other.name == name.pattern) && other.alike(leaf);
    });
    if (row == rows.end()) row = rows.insert(rows.end(), {name.pattern, {}, {}});
    row->leaves.push_back(&leaf);
    if (name.layer >= 0) row->layers.insert(name.layer);
  }
  return rows;
}

// Includes the layer numbers if they are not all of the stack's.
std::string row_name(const LeafRow& row, const Plan& plan) {
  if (plan.grain == Grain::tensor)
    return row.leaves.size() < 2 ? row.name
                                 : fmt::format("{} +{}", row.name, row.leaves.size() - 1);
  for (const auto& [stack, map] : plan.layers)
    if (row.name.starts_with(stack + ".*") && row.layers.size() < map.size())
      return fmt::format("{}.{{{}}}{}", stack, fmt::join(row.layers, ","),
                         row.name.substr(stack.size() + 2));
  return row.name;
}

std::string row_elements(const LeafRow& row) {
  if (row.same_everywhere()) return elements_text(row.first());
  const Indices& indices = row.first().indices;
  const auto shown = std::min<int64_t>(4, static_cast<int64_t>(indices.size()));
  return fmt::format("each its own: {} …",
                     fmt::join(indices.begin(), indices.begin() + shown, " "));
}

std::string layers_text(const Plan& plan) {
  std::string text;
  for (const auto& [stack, map] : plan.layers) {
    const size_t shown = std::min<size_t>(map.size(), 20);
    std::string student, teacher;
    for (size_t i = 0; i < shown; ++i) {
      student += fmt::format(" {:>3}", i);
      teacher += fmt::format(" {:>3}", map[i]);
    }
    const char* more = shown < map.size() ? " …" : "";
    text += fmt::format("layers of {}\n  student {}{}\n  teacher {}{}\n\n", stack, student, more,
                        teacher, more);
  }
  return text;
}

std::string leaves_text(const Plan& plan) {
  std::vector<LeafRow> rows = leaf_rows(plan);
  size_t width = 4;
  for (const LeafRow& row : rows) width = std::max(width, row_name(row, plan).size());
  width = std::min(width, text_columns - 50);
  std::string text =
      fmt::format("{:<{}} {:>7} {:>7}  {}\n", plan.grain == Grain::tensor ? "dimension" : "leaf",
                  width, "teacher", "student", "elements");
  for (const LeafRow& row : rows)
    text += fmt::format("{:<{}} {:>7} {:>7}  {}\n", row_name(row, plan), width,
                        row.first().teacher_size, row.first().indices.size(), row_elements(row));
  return text;
}

std::string counted(size_t count, const std::string& name) {
  return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s");
}

std::string rescaling_text(const Plan& plan) {
  std::string text;
  for (const LeafRow& row : leaf_rows(plan))
    if (row.first().scale != 1)
      text += fmt::format("  × {:<7.3f} {}: products are summed over {} instead of {}\n",
                          row.first().scale, row_name(row, plan), row.first().indices.size(),
                          row.first().teacher_size);
  std::map<double, std::vector<const TensorChoice*>> by_scale;
  for (const TensorChoice& tensor : plan.tensors)
    if (tensor.scale != 1) by_scale[tensor.scale].push_back(&tensor);
  for (const auto& [scale, tensors] : by_scale) {
    std::set<std::string> names;
    for (const TensorChoice* tensor : tensors)
      names.insert(split_layer(tensor->student, plan).pattern);
    text +=
        fmt::format("  × {:<7.3f} {} by fan-in: {}{}\n", scale, counted(tensors.size(), "tensor"),
                    *names.begin(), names.size() > 1 ? ", …" : "");
  }
  return text.empty() ? "" : "\nrescaled\n" + text;
}

std::string random_text(const Plan& plan) {
  std::map<std::string, std::pair<size_t, int64_t>> by_reason;  // tensors, elements
  for (const TensorChoice& tensor : plan.tensors)
    if (tensor.action == Action::random) {
      auto& [tensors, elements] = by_reason[tensor.reason];
      ++tensors;
      elements += tensor.elements;
    }
  std::string text;
  for (const auto& [reason, counts] : by_reason)
    text += fmt::format("  {}: {}, {} elements\n", reason, counted(counts.first, "tensor"),
                        counts.second);
  if (const LeafChoice* vocabulary = plan.find_leaf("vocabulary")) {
    const auto missing = std::count(vocabulary->indices.begin(), vocabulary->indices.end(), -1);
    if (missing > 0)
      text += fmt::format("  {} of {} pieces, which the teacher lacks\n", missing,
                          vocabulary->indices.size());
  }
  return text.empty() ? "" : "\nrandom\n" + text;
}

}  // namespace

std::string PlanShares::to_text() const {
  std::vector<std::string> parts;
  for (const auto& [count, name] :
       {std::pair{copied, "copied whole"}, {cropped, "cropped"}, {random, "random"}})
    if (count > 0)
      parts.push_back(fmt::format(
          "{:.1f} % {}", 100 * static_cast<double>(count) / static_cast<double>(all()), name));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string Plan::to_text() const {
  const PlanShares shares = plan_shares(*this);
  return layers_text(*this) + leaves_text(*this) + rescaling_text(*this) + random_text(*this) +
         fmt::format("\n{} elements: {}\n", shares.all(), shares.to_text());
}

}  // namespace scion
