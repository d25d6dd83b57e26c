#include "scion/study/recipe.h"

#include "scion/core/error.h"
#include "scion/core/file.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

// Reads a table key by key and complains about what nobody asked for.
class TomlTable {
 public:
  TomlTable(nlohmann::json table, std::string place)
      : table_(std::move(table)), place_(std::move(place)) {
    if (!table_.is_object()) throw UserError(place_ + " is not a table", "see recipes/an4");
  }

  template <class T>
  void read(const std::string& key, T& value, bool required = false) {
    known_.push_back(key);
    if (!table_.contains(key)) {
      if (required)
        throw UserError(fmt::format("{}: '{}' is missing", place_, key), "see recipes/an4");
      return;
    }
    try {
      table_.at(key).get_to(value);
    } catch (const nlohmann::json::exception&) {
      throw UserError(
          fmt::format("{}: '{}' has the wrong type: {}", place_, key, table_.at(key).dump()),
          "see recipes/an4");
    }
  }

  nlohmann::json take(const std::string& key) {
    known_.push_back(key);
    return table_.value(key, nlohmann::json());
  }

  void finish() const {
    for (const auto& [key, value] : table_.items()) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      const std::string near = nearest_name(key, known_);
      throw UserError(fmt::format("{}: unknown key '{}'", place_, key),
                      near.empty() ? fmt::format("known keys: {}", fmt::join(known_, ", "))
                                   : fmt::format("did you mean '{}'?", near));
    }
  }

 private:
  nlohmann::json table_;
  std::string place_;
  std::vector<std::string> known_;
};

class RecipeReader {
 public:
  RecipeReader(const fs::path& path)
      : place_(path.string()), root_(parse_toml(read_file(path), path.string()), path.string()) {
    recipe_.directory = fs::absolute(path).parent_path();
  }

  Recipe read() {
    root_.read("name", recipe_.name, true);
    root_.read("about", recipe_.about);
    read_runs();
    for (const auto& entry : root_.take("sets")) read_set(entry);
    for (const auto& entry : root_.take("arms")) read_arm(entry);
    for (const auto& entry : root_.take("schedules")) read_schedule(entry);
    for (const auto& entry : root_.take("checks")) read_check(entry);
    read_study();
    read_tuning();
    root_.finish();
    validate();
    return std::move(recipe_);
  }

 private:
  std::string absolute(const std::string& path) const {
    return path.empty() || fs::path(path).is_absolute()
               ? path
               : (recipe_.directory / path).lexically_normal().string();
  }

  // [run] holds what teacher and student share; [teacher] and [student] override it.
  void read_runs() {
    const nlohmann::json shared = root_.take("run");
    for (const auto& [key, config] :
         {std::pair{"teacher", &recipe_.teacher}, {"student", &recipe_.student}}) {
      if (shared.is_object())
        load_run_config(*config, shared, place_ + " [run]", recipe_.directory);
      nlohmann::json own = root_.take(key);
      if (!own.is_object())
        throw UserError(fmt::format("{}: [{}] is missing", place_, key), "see recipes/an4");
      if (own.contains("file")) {
        recipe_.teacher_file = absolute(own["file"].get<std::string>());
        own.erase("file");
      }
      load_run_config(*config, own, fmt::format("{} [{}]", place_, key), recipe_.directory);
    }
  }

  void read_set(const nlohmann::json& entry) {
    TomlTable table(entry, place_ + " [[sets]]");
    RecipeSet set;
    table.read("name", set.name, true);
    table.read("manifest", set.manifest, true);
    set.manifest = absolute(set.manifest);
    table.read("babble", set.babble);
    set.babble = absolute(set.babble);
    const nlohmann::json condition = table.take("condition");
    if (condition.is_object()) {
      set.corrupted = true;
      Options options;
      set.corruption.declare(options);
      options.load_json(condition, place_ + " [[sets]] condition");
    }
    table.finish();
    recipe_.sets.push_back(std::move(set));
  }

  void read_arm(const nlohmann::json& entry) {
    TomlTable table(entry, place_ + " [[arms]]");
    RecipeArm arm;
    table.read("name", arm.name, true);
    table.read("init", arm.init);
    table.read("rules", arm.rules);
    table.read("layers", arm.layers);
    table.read("elements", arm.elements);
    table.read("control", arm.control);
    table.finish();
    if (arm.init.empty() == arm.rules.empty())
      throw UserError(fmt::format("{}: arm '{}' needs either init or rules", place_, arm.name),
                      "init = \"xavier\" for a random arm, rules = \"paper\" for a selected one");
    if (!arm.control.empty() && arm.control != "shuffled" && arm.control != "redrawn")
      throw UserError(fmt::format("{}: arm '{}' has control = '{}'", place_, arm.name, arm.control),
                      "controls: shuffled, redrawn");
    if (arm.selected()) make_rules(arm.rules, arm.layers, arm.elements);  // complains about names
    recipe_.arms.push_back(std::move(arm));
  }

  void read_schedule(const nlohmann::json& entry) {
    TomlTable table(entry, place_ + " [[schedules]]");
    RecipeSchedule schedule;
    table.read("name", schedule.name, true);
    table.read("epochs", schedule.epochs, true);
    table.read("evaluate_epochs", schedule.evaluate_epochs);
    table.finish();
    recipe_.schedules.push_back(std::move(schedule));
  }

  void read_check(const nlohmann::json& entry) {
    TomlTable table(entry, place_ + " [[checks]]");
    RecipeCheck check;
    table.read("kind", check.kind, true);
    table.read("set", check.set, true);
    table.read("limit", check.limit, true);
    table.read("schedule", check.schedule);
    table.read("arm", check.arm);
    table.read("baseline", check.baseline);
    table.read("share", check.share);
    table.finish();
    if (check.kind != "teacher_wer" && check.kind != "arm_wer" && check.kind != "early_cut")
      throw UserError(fmt::format("{}: unknown check '{}'", place_, check.kind),
                      "checks: teacher_wer, arm_wer, early_cut");
    recipe_.checks.push_back(std::move(check));
  }

  void read_study() {
    TomlTable table(root_.take("study"), place_ + " [study]");
    table.read("seeds", recipe_.seeds);
    table.read("first_seed", recipe_.first_seed);
    table.read("jobs", recipe_.jobs);
    table.read("threads", recipe_.threads);
    table.read("baseline", recipe_.baseline, true);
    table.read("primary_arm", recipe_.primary_arm, true);
    table.read("primary_schedule", recipe_.primary_schedule, true);
    table.read("primary_set", recipe_.primary_set, true);
    table.read("primary_share", recipe_.primary_share);
    table.finish();
  }

  void read_tuning() {
    const nlohmann::json tuning = root_.take("tuning");
    if (!tuning.is_object()) return;
    TomlTable table(tuning, place_ + " [tuning]");
    std::string file;
    table.read("peak_lr", recipe_.grid, true);
    table.read("train", recipe_.tuning_train, true);
    table.read("dev", recipe_.tuning_set, true);
    table.read("file", file, true);
    table.finish();
    for (std::string& manifest : recipe_.tuning_train) manifest = absolute(manifest);
    recipe_.tuning_set = absolute(recipe_.tuning_set);
    recipe_.tuning_file = absolute(file);
  }

  template <class Items>
  void require_named(const Items& items, const std::string& name, const std::string& what) const {
    std::vector<std::string> names;
    for (const auto& item : items) names.push_back(item.name);
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw UserError(fmt::format("{}: no {} is called '{}'", place_, what, name),
                      fmt::format("there are: {}", fmt::join(names, ", ")));
  }

  void validate() const {
    require_named(recipe_.arms, recipe_.baseline, "arm");
    require_named(recipe_.arms, recipe_.primary_arm, "arm");
    require_named(recipe_.schedules, recipe_.primary_schedule, "schedule");
    require_named(recipe_.sets, recipe_.primary_set, "set");
    for (const RecipeCheck& check : recipe_.checks) {
      require_named(recipe_.sets, check.set, "set");
      if (check.kind != "teacher_wer") require_named(recipe_.schedules, check.schedule, "schedule");
    }
    if (recipe_.seeds < 1)
      throw UserError(fmt::format("{}: study.seeds is {}", place_, recipe_.seeds), "1 or more");
    recipe_.teacher.validate();
    recipe_.student.validate();
  }

  std::string place_;
  TomlTable root_;
  Recipe recipe_;
};

template <class Items>
const auto& named(const Items& items, const std::string& name) {
  for (const auto& item : items)
    if (item.name == name) return item;
  throw UserError(fmt::format("the recipe has no '{}'", name),
                  "look at its [[arms]] and [[schedules]]");
}

}  // namespace

const RecipeArm& Recipe::arm(const std::string& name) const { return named(arms, name); }
const RecipeSchedule& Recipe::schedule(const std::string& name) const {
  return named(schedules, name);
}

Recipe read_recipe(const fs::path& path) { return RecipeReader(path).read(); }

}  // namespace scion
