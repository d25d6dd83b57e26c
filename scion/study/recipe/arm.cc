#include "scion/study/recipe/arm.h"

#include "scion/core/error.h"
#include "scion/core/options.h"
#include "scion/study/recipe/option_changes.h"
#include "scion/study/recipe/toml_table.h"
#include "scion/study/recipe/toml_text.h"

namespace scion {
namespace {

// "layers even-last, train.peak_lr 0.008"
std::string values_text(const nlohmann::json& values, const std::string& prefix = "") {
  std::string text;
  for (const auto& [key, value] : values.items())
    text += (text.empty() ? "" : ", ") +
            (value.is_object()
                 ? values_text(value, prefix + key + ".")
                 : fmt::format("{}{} {}", prefix, key,
                               value.is_string() ? value.get<std::string>() : value.dump()));
  return text;
}

nlohmann::json own_rules(const RecipeArm& arm) {
  nlohmann::json own =
      changed_values(options_json(named_rules(arm.rules)), options_json(arm.select));
  own.erase("seed");  // set by the run
  return own;
}

nlohmann::json own_calibration(const RecipeArm& arm) {
  return changed_values(options_json(CalibrationConfig()), options_json(*arm.calibration));
}

// The rule set with the options of [arms.select] and the two that the arm's table itself may have.
SelectionRules read_rules(TomlTable& table, const RecipeArm& arm, const std::string& place) {
  nlohmann::json select = table.take("select");
  if (select.is_null()) select = nlohmann::json::object();
  for (const char* key : {"layers", "elements"})
    if (nlohmann::json value = table.take(key); !value.is_null()) select[key] = std::move(value);
  if (!arm.selected()) {
    if (!select.empty())
      throw UserError(fmt::format("{}: '{}' is random and has rules of selection", place, arm.name),
                      "set rules, or remove 'layers', 'elements' and [arms.select]");
    return {};
  }
  return make_rules(arm.rules, select, fmt::format("{} '{}' select", place, arm.name));
}

// [arms.calibrate]; without it, choosing elements by their activations still needs audio.
std::optional<CalibrationConfig> read_calibration(TomlTable& table, const RecipeArm& arm,
                                                  const std::string& place) {
  const nlohmann::json entry = table.take("calibrate");
  if (entry.is_null()) {
    if (!arm.selected() || arm.select.elements != ElementRule::activation) return {};
    return CalibrationConfig{.compensate = Compensation::none, .batch_norm = false};
  }
  if (!arm.selected())
    throw UserError(fmt::format("{}: '{}' is random and has [arms.calibrate]", place, arm.name),
                    "calibration fits a student to the teacher it was selected from: set rules");
  CalibrationConfig config;
  Options options;
  config.declare(options);
  options.load_json(entry, fmt::format("{} '{}' calibrate", place, arm.name));
  return config;
}

void validate(const RecipeArm& arm, const std::string& place) {
  if (!arm.init.empty() && !arm.rules.empty())
    throw UserError(fmt::format("{}: arm '{}' has both init and rules", place, arm.name),
                    "init = \"xavier\" for a random arm, rules = \"best\" for a selected one");
  if (!arm.control.empty() && arm.control != "shuffled" && arm.control != "redrawn")
    throw UserError(fmt::format("{}: arm '{}' has control = '{}'", place, arm.name, arm.control),
                    "controls: shuffled, redrawn");
  if (!arm.control.empty() && !arm.selected())
    throw UserError(fmt::format("{}: arm '{}' is random and has a control", place, arm.name),
                    "controls are made from selected weights: set rules");
}

}  // namespace

bool RecipeArm::runs_in(const std::string& budget) const {
  return budgets.empty() || std::find(budgets.begin(), budgets.end(), budget) != budgets.end();
}

std::string RecipeArm::description(const RunConfig& student) const {
  if (!about.empty()) return about;
  std::string text = selected() ? fmt::format("selected by the rules '{}'", rules)
                                : fmt::format("random, {}", init);
  if (selected())
    if (const std::string own = values_text(own_rules(*this)); !own.empty()) text += ", " + own;
  if (calibration) {
    const std::string own = values_text(own_calibration(*this));
    text += ", calibrated" + (own.empty() ? "" : " with " + own);
  }
  if (!control.empty()) text += fmt::format(", then {} inside each tensor (control)", control);
  if (distill) text += ", distilled";
  if (const std::string own = values_text(changed_values(options_json(student), options_json(run)));
      !own.empty())
    text += "; " + own;
  return text;
}

RecipeArm read_arm(const nlohmann::json& entry, const RunConfig& student, const std::string& place,
                   const std::filesystem::path& directory) {
  TomlTable table(entry, place);
  RecipeArm arm;
  table.read("name", arm.name, true);
  table.read("about", arm.about);
  table.read("factor", arm.factor);
  table.read("init", arm.init);
  table.read("rules", arm.rules);
  if (arm.init.empty() && arm.rules.empty()) arm.rules = "best";
  table.read("control", arm.control);
  table.read("distill", arm.distill);
  table.read("baseline", arm.baseline);
  table.read("budgets", arm.budgets);
  validate(arm, place);
  arm.select = read_rules(table, arm, place);
  arm.calibration = read_calibration(table, arm, place);
  nlohmann::json run = table.take("run");
  if (run.is_null()) run = nlohmann::json::object();
  arm.tuned = !run.contains("train") || !run["train"].contains("peak_lr");
  table.read("tuned", arm.tuned);
  table.finish();
  arm.run = student;
  load_run_config(arm.run, run, fmt::format("{} '{}' run", place, arm.name), directory);
  arm.run.validate();
  return arm;
}

nlohmann::json inherited_arm(const nlohmann::json& like, const nlohmann::json& table) {
  nlohmann::json arm = like;
  for (const char* key : {"name", "about", "factor"}) arm.erase(key);
  if (table.contains("init"))
    for (const char* key : {"rules", "layers", "elements", "select", "calibrate", "control"})
      arm.erase(key);
  if (table.contains("rules")) arm.erase("init");
  arm.merge_patch(table);
  arm.erase("like");
  return arm;
}

std::string arm_toml(const RecipeArm& arm, const RunConfig& student) {
  std::string text =
      "\n[[arms]]\n" + toml_line("name", arm.name) + toml_line_unless_empty("about", arm.about) +
      toml_line_unless_empty("factor", arm.factor) + toml_line_unless_empty("init", arm.init) +
      toml_line_unless_empty("rules", arm.rules) + toml_line_unless_empty("control", arm.control) +
      toml_line_unless_empty("baseline", arm.baseline);
  if (arm.distill) text += toml_line("distill", true);
  if (!arm.budgets.empty()) text += toml_line("budgets", arm.budgets);
  text += toml_line("tuned", arm.tuned);
  if (arm.selected()) text += toml_tables("arms.select", own_rules(arm));
  if (arm.calibration) text += toml_tables("arms.calibrate", options_json(*arm.calibration));
  return text +
         toml_tables("arms.run", changed_values(options_json(student), options_json(arm.run)));
}

}  // namespace scion
