#include <algorithm>
#include <sstream>

#include "scion/core/options.h"
#include "scion/study/recipe/recipe.h"
#include "scion/study/recipe/toml_text.h"

namespace scion {
namespace {

// The tables of `toml`, moved below the table `name`.
std::string nested_toml(const std::string& toml, const std::string& name) {
  std::string text;
  std::istringstream lines(toml);
  for (std::string line; std::getline(lines, line);)
    text += (line.starts_with('[') ? fmt::format("[{}.{}", name, line.substr(1)) : line) + "\n";
  return text;
}

std::string set_toml(RecipeSet set) {
  std::string text = "\n[[sets]]\n" + toml_line("name", set.name) +
                     toml_line("manifest", set.manifest) +
                     toml_line_unless_empty("babble", set.babble);
  if (!set.corrupted) return text;
  Options options;
  set.corruption.declare(options);
  return text + "[sets.condition]\n" + options.to_toml();
}

std::string check_toml(const RecipeCheck& check) {
  const Comparison& comparison = check.comparison;
  return "\n[[checks]]\n" + toml_line("kind", check.kind) + toml_line("set", comparison.set) +
         toml_line("limit", check.limit) + toml_line_unless_empty("budget", comparison.budget) +
         toml_line_unless_empty("arm", comparison.arm) +
         toml_line_unless_empty("baseline", comparison.baseline) +
         toml_line_unless_empty("baseline_budget", comparison.baseline_budget) +
         toml_line("share", check.share);
}

std::string comparison_toml(const Comparison& comparison) {
  return "\n[[comparisons]]\n" + toml_line("arm", comparison.arm) +
         toml_line("budget", comparison.budget) +
         (comparison.epoch ? toml_line("epoch", *comparison.epoch) : "") +
         toml_line("baseline", comparison.baseline) +
         toml_line_unless_empty("baseline_budget", comparison.baseline_budget) +
         (comparison.baseline_epoch ? toml_line("baseline_epoch", *comparison.baseline_epoch)
                                    : "") +
         toml_line("set", comparison.set) + toml_line("weights", word_of(comparison.weights));
}

std::string tuning_toml(const Recipe& recipe) {
  return "\n[tuning]\n" + toml_line("peak_lr", recipe.grid) +
         toml_line("train", recipe.tuning_train) + toml_line("dev", recipe.tuning_set) +
         toml_line("file", recipe.tuning_file.string());
}

}  // namespace

std::string Recipe::to_toml() const {
  std::vector<int64_t> teacher_seeds;
  std::vector<std::string> files;
  for (const RecipeTeacher& teacher : teachers)
    if (teacher.file.empty())
      teacher_seeds.push_back(teacher.number);
    else
      files.push_back(teacher.file);
  std::string text = toml_line("name", name) + toml_line_unless_empty("about", about);
  text += "\n[study]\n" + toml_line("seeds", seeds) + toml_line("first_seed", first_seed) +
          toml_line("jobs", jobs) + toml_line("threads", threads) +
          toml_line("teacher_threads", teacher_threads) + toml_line("baseline", baseline) +
          toml_line("primary_arm", primary_arm) + toml_line("primary_budget", primary_budget) +
          toml_line("primary_set", primary_set) + toml_line("primary_share", primary_share) +
          toml_line("pairing", pairing);
  if (!teacher_seeds.empty()) text += toml_line("teacher_seeds", teacher_seeds);
  for (const RecipeSet& set : sets) text += set_toml(set);
  for (const RecipeArm& arm : arms) text += arm_toml(arm, student);
  for (const RecipeBudget& budget : budgets)
    text += "\n[[budgets]]\n" + toml_line("name", budget.name) +
            toml_line("epochs", budget.epochs) +
            toml_line("evaluate_epochs", budget.evaluate_epochs);
  for (const RecipeCheck& check : checks) text += check_toml(check);
  for (const Comparison& comparison : comparisons) text += comparison_toml(comparison);
  if (!grid.empty()) text += tuning_toml(*this);
  text += "\n[teacher]\n";
  if (!files.empty()) text += toml_line("files", files);
  text +=
      nested_toml(teacher.to_toml(), "teacher") + "\n" + nested_toml(student.to_toml(), "student");
  return text;
}

}  // namespace scion
