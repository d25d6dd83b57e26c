#include "scion/selection/rules.h"

#include <numeric>

#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/core/random.h"

namespace scion {
namespace {

// float32, as torch.linspace computes it: from the near end, so that both ends are exact.
float linspace(int64_t last, int64_t count, int64_t i) {
  const float end = static_cast<float>(last);
  const float step = end / static_cast<float>(count - 1);
  return i < count / 2 ? step * static_cast<float>(i)
                       : end - step * static_cast<float>(count - 1 - i);
}

Indices consecutive(int64_t count) {
  Indices indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

Indices drawn(const SelectionRules& rules, const std::string& leaf, int64_t teacher,
              int64_t student) {
  Indices all = consecutive(teacher);
  Random random(static_cast<uint64_t>(rules.seed), Stream::selection, stable_hash(leaf));
  random.shuffle(all);
  all.resize(static_cast<size_t>(student));
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

Indices even_indices(int64_t teacher, int64_t student) {
  Indices indices;
  for (int64_t i = 0; i < student; ++i)
    indices.push_back(teacher % student == 0 ? i * (teacher / student)
                                             : static_cast<int64_t>(std::nearbyint(
                                                   linspace(teacher - 1, student, i))));
  return indices;
}

void SelectionRules::declare(Options& options) {
  options.add("layers", layers, "which teacher layers").choices({"first", "even", "even-last"});
  options.add("elements", elements, "which elements of a leaf")
      .choices({"even", "first", "random"});
  options.add("per_tensor", per_tensor, "choose in every dimension of every tensor by itself");
  options.add("seed", seed, "for elements = \"random\"").range(0, 1e15);
  options.add("partial", partial, "parameters whose names begin so stay random");
}

SelectionRules named_rules(const std::string& name) {
  if (name == "paper") return {};
  if (name == "published") return {.per_tensor = true};
  const std::string near = nearest_name(name, {"paper", "published"});
  throw UserError(fmt::format("no rule set is called '{}'", name),
                  fmt::format("{}rule sets: paper, published",
                              near.empty() ? "" : "did you mean '" + near + "'? "));
}

std::vector<int64_t> select_layers(const std::string& rule, int64_t teacher, int64_t student) {
  if (student > teacher)
    throw UserError(fmt::format("the student has {} layers, the teacher {}", student, teacher),
                    "give the student at most as many layers as the teacher");
  if (rule == "first" || student == 0) return consecutive(student);
  if (rule == "even") {
    std::vector<int64_t> layers;
    for (int64_t i = 0; i < student; ++i) layers.push_back(i * teacher / student);
    return layers;
  }
  if (student == 1) return {teacher - 1};  // even-last: the last is the one always kept
  std::vector<int64_t> layers;
  for (int64_t i = 0; i < student; ++i)
    layers.push_back((i * (teacher - 1) * 2 + student - 1) / (2 * (student - 1)));
  return layers;
}

Indices select_elements(const SelectionRules& rules, const std::string& leaf, int64_t teacher,
                        int64_t student) {
  if (student > teacher)
    throw UserError(
        fmt::format("leaf '{}': the student has {} elements, the teacher {}", leaf, student,
                    teacher),
        "make the student's dimension at most the teacher's, or leave its parameters random with "
        "--partial");
  if (rules.elements == "first") return consecutive(student);
  if (rules.elements == "random") return drawn(rules, leaf, teacher, student);
  return even_indices(teacher, student);
}

}  // namespace scion
