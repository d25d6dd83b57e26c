#include <algorithm>
#include <sstream>

#include "scion/core/options.h"
#include "scion/study/recipe.h"

namespace scion {
namespace {

// JSON's strings and arrays of simple values are TOML's.
template <class T>
std::string key_line(const std::string& key, const T& value) {
  return fmt::format("{} = {}\n", key, nlohmann::json(value).dump());
}

std::string unless_empty(const std::string& key, const std::string& value) {
  return value.empty() ? "" : key_line(key, value);
}

// The tables of `toml` below the table `name`.
std::string nested_toml(const std::string& toml, const std::string& name) {
  std::string text;
  std::istringstream lines(toml);
  for (std::string line; std::getline(lines, line);)
    text += (line.starts_with('[') ? fmt::format("[{}.{}", name, line.substr(1)) : line) + "\n";
  return text;
}

std::string set_toml(RecipeSet set) {
  std::string text = "\n[[sets]]\n" + key_line("name", set.name) +
                     key_line("manifest", set.manifest) + unless_empty("babble", set.babble);
  if (!set.corrupted) return text;
  Options options;
  set.corruption.declare(options);
  return text + "[sets.condition]\n" + options.to_toml();
}

std::string arm_toml(const RecipeArm& arm) {
  return "\n[[arms]]\n" + key_line("name", arm.name) + unless_empty("init", arm.init) +
         unless_empty("rules", arm.rules) + unless_empty("layers", arm.layers) +
         unless_empty("elements", arm.elements) + unless_empty("control", arm.control);
}

std::string check_toml(const RecipeCheck& check) {
  return "\n[[checks]]\n" + key_line("kind", check.kind) + key_line("set", check.set) +
         key_line("limit", check.limit) + unless_empty("schedule", check.schedule) +
         unless_empty("arm", check.arm) + unless_empty("baseline", check.baseline) +
         key_line("share", check.share);
}

std::string tuning_toml(const Recipe& recipe) {
  return "\n[tuning]\n" + key_line("peak_lr", recipe.grid) +
         key_line("train", recipe.tuning_train) + key_line("dev", recipe.tuning_set) +
         key_line("file", recipe.tuning_file.string());
}

}  // namespace

std::string Recipe::to_toml() const {
  std::string text = key_line("name", name) + unless_empty("about", about);
  text += "\n[study]\n" + key_line("seeds", seeds) + key_line("first_seed", first_seed) +
          key_line("jobs", jobs) + key_line("threads", threads) + key_line("baseline", baseline) +
          key_line("primary_arm", primary_arm) + key_line("primary_schedule", primary_schedule) +
          key_line("primary_set", primary_set) + key_line("primary_share", primary_share);
  for (const RecipeSet& set : sets) text += set_toml(set);
  for (const RecipeArm& arm : arms) text += arm_toml(arm);
  for (const RecipeSchedule& schedule : schedules)
    text += "\n[[schedules]]\n" + key_line("name", schedule.name) +
            key_line("epochs", schedule.epochs) +
            key_line("evaluate_epochs", schedule.evaluate_epochs);
  for (const RecipeCheck& check : checks) text += check_toml(check);
  if (!grid.empty()) text += tuning_toml(*this);
  text += "\n[teacher]\n" + unless_empty("file", teacher_file);
  text +=
      nested_toml(teacher.to_toml(), "teacher") + "\n" + nested_toml(student.to_toml(), "student");
  return text;
}

}  // namespace scion
