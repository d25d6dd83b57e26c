#include "scion/study/recipe/recipe.h"

#include <map>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/study/recipe/old_keys.h"
#include "scion/study/recipe/toml_table.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

class RecipeReader {
 public:
  RecipeReader(const fs::path& path)
      : place_(path.string()),
        root_(with_new_keys(parse_toml(read_file(path), path.string()), path.string()),
              path.string()) {
    recipe_.directory = fs::absolute(path).parent_path();
  }

  Recipe read() {
    root_.read("name", recipe_.name, true);
    root_.read("about", recipe_.about);
    read_runs();
    for (const auto& entry : root_.take("sets")) read_set(entry);
    for (const auto& entry : root_.take("arms")) add_arm(entry);
    for (const auto& entry : root_.take("budgets")) read_budget(entry);
    for (const auto& entry : root_.take("checks")) read_check(entry);
    for (const auto& entry : root_.take("comparisons")) read_comparison(entry);
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
      if (key == std::string("teacher")) take_teacher_files(own);
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

  // [teacher] file, or files: given teachers instead of ones trained here.
  void take_teacher_files(nlohmann::json& own) {
    std::vector<std::string> files;
    for (const char* key : {"file", "files"}) {
      if (!own.contains(key)) continue;
      const nlohmann::json given = own[key].is_array() ? own[key] : nlohmann::json{own[key]};
      for (const nlohmann::json& file : given) {
        if (!file.is_string())
          throw UserError(fmt::format("{} [teacher]: '{}' has {}", place_, key, file.dump()),
                          "name model files");
        files.push_back(absolute(file.get<std::string>()));
      }
      own.erase(key);
    }
    for (const std::string& file : files)
      recipe_.teachers.push_back({static_cast<int64_t>(recipe_.teachers.size()) + 1, file});
  }

  void add_arm(const nlohmann::json& entry) {
    const std::string place = place_ + " [[arms]]";
    nlohmann::json table = entry;
    if (entry.is_object() && entry.contains("like")) {
      const auto like = arm_tables_.find(entry["like"].dump());
      if (like == arm_tables_.end())
        throw UserError(
            fmt::format("{}: no arm before it is called {}", place, entry["like"].dump()),
            "'like' must name an earlier arm");
      table = inherited_arm(like->second, entry);
    }
    recipe_.arms.push_back(read_arm(table, recipe_.student, place, recipe_.directory));
    const std::string& name = recipe_.arms.back().name;
    if (!arm_tables_.emplace(nlohmann::json(name).dump(), table).second)
      throw UserError(fmt::format("{}: two arms are called '{}'", place, name), "rename one");
  }

  void read_budget(const nlohmann::json& entry) {
    TomlTable table(entry, place_ + " [[budgets]]");
    RecipeBudget budget;
    table.read("name", budget.name, true);
    table.read("epochs", budget.epochs, true);
    table.read("evaluate_epochs", budget.evaluate_epochs);
    table.finish();
    recipe_.budgets.push_back(std::move(budget));
  }

  void read_check(const nlohmann::json& entry) {
    TomlTable table(entry, place_ + " [[checks]]");
    RecipeCheck check;
    table.read("kind", check.kind, true);
    table.read("limit", check.limit, true);
    table.read("share", check.share);
    Comparison& comparison = check.comparison;
    table.read("set", comparison.set, true);
    table.read("budget", comparison.budget);
    table.read("arm", comparison.arm);
    table.read("baseline", comparison.baseline);
    table.read("baseline_budget", comparison.baseline_budget);
    table.finish();
    static const std::vector<std::string> kinds = {"teacher_wer", "arm_wer", "early_cut",
                                                   "speed_up", "end_below"};
    if (std::find(kinds.begin(), kinds.end(), check.kind) == kinds.end())
      throw UserError(fmt::format("{}: unknown check '{}'", place_, check.kind),
                      fmt::format("checks: {}", fmt::join(kinds, ", ")));
    recipe_.checks.push_back(std::move(check));
  }

  void read_comparison(const nlohmann::json& entry) {
    TomlTable table(entry, place_ + " [[comparisons]]");
    Comparison comparison;
    table.read("arm", comparison.arm, true);
    table.read("baseline", comparison.baseline, true);
    table.read("budget", comparison.budget, true);
    table.read("set", comparison.set, true);
    table.read("baseline_budget", comparison.baseline_budget);
    std::string word = word_of(comparison.weights);
    table.read("weights", word);
    const std::optional<Weights> weights = enum_of<Weights>(word);
    if (!weights)
      throw UserError(fmt::format("{} [[comparisons]]: weights = '{}'", place_, word),
                      "raw, averaged");
    comparison.weights = *weights;
    for (const auto& [key, epoch] :
         {std::pair{"epoch", &comparison.epoch}, {"baseline_epoch", &comparison.baseline_epoch}}) {
      double value = 0;
      table.read(key, value);
      if (table.has(key)) *epoch = value;
    }
    table.finish();
    recipe_.comparisons.push_back(std::move(comparison));
  }

  void read_study() {
    TomlTable table(root_.take("study"), place_ + " [study]");
    table.read("seeds", recipe_.seeds);
    table.read("first_seed", recipe_.first_seed);
    std::vector<int64_t> teacher_seeds = {recipe_.teacher.train.seed};
    table.read("teacher_seeds", teacher_seeds);
    if (recipe_.teachers.empty())
      for (const int64_t seed : teacher_seeds) recipe_.teachers.push_back({seed, ""});
    else if (table.has("teacher_seeds"))
      throw UserError(place_ + " has teacher_seeds and a teacher's file", "remove one of them");
    table.read("pairing", recipe_.pairing);
    table.read("jobs", recipe_.jobs);
    table.read("threads", recipe_.threads);
    recipe_.teacher_threads = recipe_.threads;
    table.read("teacher_threads", recipe_.teacher_threads);
    table.read("baseline", recipe_.baseline, true);
    table.read("primary_arm", recipe_.primary_arm, true);
    table.read("primary_budget", recipe_.primary_budget, true);
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

  // The arm must run in the budget and be evaluated at the epoch.
  void require_evaluation(const std::string& arm, const std::string& budget,
                          std::optional<double> epoch) const {
    require_named(recipe_.arms, arm, "arm");
    require_named(recipe_.budgets, budget, "budget");
    if (!recipe_.arm(arm).runs_in(budget))
      throw UserError(fmt::format("{}: '{}' does not run in '{}'", place_, arm, budget),
                      "add the budget to the arm's 'budgets', or compare the arm in another one");
    if (!epoch || *epoch == static_cast<double>(recipe_.budget(budget).epochs)) return;
    const std::vector<int64_t>& there = recipe_.budget(budget).evaluate_epochs;
    if (std::find(there.begin(), there.end(), static_cast<int64_t>(*epoch)) == there.end())
      throw UserError(fmt::format("{}: '{}' is not evaluated at epoch {:g} of '{}'", place_, arm,
                                  *epoch, budget),
                      fmt::format("its evaluate_epochs are {}", nlohmann::json(there).dump()));
  }

  void validate_comparison(const Comparison& comparison) const {
    require_named(recipe_.sets, comparison.set, "set");
    require_evaluation(comparison.arm, comparison.budget, comparison.epoch);
    require_evaluation(comparison.baseline, comparison.budget_of_baseline(),
                       comparison.baseline_epoch);
  }

  void validate_check(const RecipeCheck& check) const {
    const Comparison& comparison = check.comparison;
    require_named(recipe_.sets, comparison.set, "set");
    if (check.kind == "teacher_wer") return;
    require_named(recipe_.budgets, comparison.budget, "budget");
    if (check.kind == "arm_wer" && comparison.arm.empty()) return;
    require_evaluation(comparison.arm, comparison.budget, {});
    if (check.kind == "arm_wer") return;
    require_evaluation(comparison.baseline, comparison.budget_of_baseline(), {});
  }

  void validate_arm(const RecipeArm& arm) const {
    require_named(recipe_.arms, recipe_.baseline_of(arm), "arm");
    for (const std::string& budget : arm.budgets) require_named(recipe_.budgets, budget, "budget");
    const RecipeArm& baseline = recipe_.arm(recipe_.baseline_of(arm));
    for (const RecipeBudget& budget : recipe_.budgets)
      if (arm.runs_in(budget.name) && !baseline.runs_in(budget.name))
        throw UserError(fmt::format("{}: '{}' runs in '{}', and its baseline '{}' does not", place_,
                                    arm.name, budget.name, baseline.name),
                        "add the budget to the baseline's 'budgets', or name another baseline");
  }

  void validate_teachers() const {
    if (recipe_.pairing != "cross" && recipe_.pairing != "paired")
      throw UserError(fmt::format("{}: study.pairing is '{}'", place_, recipe_.pairing),
                      "cross, paired");
    std::vector<int64_t> numbers;
    for (const RecipeTeacher& teacher : recipe_.teachers) numbers.push_back(teacher.number);
    std::sort(numbers.begin(), numbers.end());
    if (numbers.empty() || numbers.front() < 1 ||
        std::adjacent_find(numbers.begin(), numbers.end()) != numbers.end())
      throw UserError(
          fmt::format("{}: study.teacher_seeds are {}", place_, nlohmann::json(numbers).dump()),
          "name different seeds, 1 or more");
    if (recipe_.pairing == "paired" && static_cast<int64_t>(numbers.size()) != recipe_.seeds)
      throw UserError(fmt::format("{}: {} teachers cannot be paired with {} student seeds", place_,
                                  numbers.size(), recipe_.seeds),
                      "set study.seeds to the number of teachers, or pairing = \"cross\"");
  }

  void validate() const {
    require_named(recipe_.arms, recipe_.baseline, "arm");
    require_named(recipe_.arms, recipe_.primary_arm, "arm");
    if (recipe_.baseline_of(recipe_.arm(recipe_.primary_arm)) == recipe_.primary_arm)
      throw UserError(fmt::format("{}: study.primary_arm '{}' is its own baseline", place_,
                                  recipe_.primary_arm),
                      "name an arm that has another baseline");
    require_named(recipe_.budgets, recipe_.primary_budget, "budget");
    require_named(recipe_.sets, recipe_.primary_set, "set");
    for (const RecipeCheck& check : recipe_.checks) validate_check(check);
    for (const Comparison& comparison : recipe_.comparisons) validate_comparison(comparison);
    for (const auto& [key, value] :
         {std::pair("seeds", recipe_.seeds), std::pair("jobs", recipe_.jobs),
          std::pair("threads", recipe_.threads),
          std::pair("teacher_threads", recipe_.teacher_threads)})
      if (value < 1)
        throw UserError(fmt::format("{}: study.{} is {}", place_, key, value), "1 or more");
    for (const RecipeArm& arm : recipe_.arms) validate_arm(arm);
    if (!recipe_.arm(recipe_.primary_arm).runs_in(recipe_.primary_budget))
      throw UserError(fmt::format("{}: '{}' does not run in '{}'", place_, recipe_.primary_arm,
                                  recipe_.primary_budget),
                      "the primary comparison needs this arm in this budget");
    validate_teachers();
    recipe_.teacher.validate();
    recipe_.student.validate();
  }

  std::string place_;
  TomlTable root_;
  Recipe recipe_;
  std::map<std::string, nlohmann::json> arm_tables_;  // by name, after inheritance
};

template <class Items>
const auto& named(const Items& items, const std::string& name) {
  for (const auto& item : items)
    if (item.name == name) return item;
  throw UserError(fmt::format("the recipe has no '{}'", name),
                  "look at its [[arms]] and [[budgets]]");
}

}  // namespace

const RecipeArm& Recipe::arm(const std::string& name) const { return named(arms, name); }
const RecipeBudget& Recipe::budget(const std::string& name) const { return named(budgets, name); }

int64_t Recipe::teacher_places() const {
  return std::clamp<int64_t>((teacher_threads + threads - 1) / threads, 1, jobs);
}

std::vector<int64_t> Recipe::student_seeds() const {
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i < seeds; ++i) numbers.push_back(first_seed + i);
  return numbers;
}

bool Recipe::has_teachers() const {
  return std::any_of(arms.begin(), arms.end(),
                     [](const RecipeArm& arm) { return arm.has_teacher(); });
}

bool Recipe::trains_teachers() const { return has_teachers() && teachers.front().file.empty(); }

Recipe read_recipe(const fs::path& path) { return RecipeReader(path).read(); }

}  // namespace scion
