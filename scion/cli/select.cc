// scion select: the first weights of a student, from a teacher.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "scion/calibration/calibrated_student.h"
#include "scion/cli/commands.h"
#include "scion/cli/config_flags.h"
#include "scion/core/files/file.h"
#include "scion/core/log.h"
#include "scion/training/config/run_config.h"

namespace scion {
namespace {

struct SelectArguments {
  std::string teacher, student, out, rules = "best", tokenizer, init = "xavier";
  std::map<std::string, std::string> changes;  // options of the rule set, by name
  std::vector<std::string> partial;
  std::string audio;  // manifest
  CalibrationConfig calibration{.compensate = Compensation::none};
  Options calibration_options;
  bool dry_run = false, json = false;
};

SelectionRules read_rules(const SelectArguments& arguments) {
  SelectionRules rules = named_rules(arguments.rules);
  Options options;
  rules.declare(options);
  for (const auto& [name, text] : arguments.changes) options.set(name, text, "--" + name);
  rules.partial = arguments.partial;
  rules.validate("scion select");
  return rules;
}

StudentRecipe read_recipe(const SelectArguments& arguments) {
  StudentRecipe recipe{
      .rule_set = arguments.rules, .rules = read_rules(arguments), .scheme = arguments.init};
  if (!arguments.tokenizer.empty())
    recipe.tokenizer = Tokenizer::load(arguments.tokenizer).serialised();
  return recipe;
}

void print(const CalibratedStudent& made, bool json) {
  const auto& [student, summary] = made;
  if (json) {
    nlohmann::json root = student.plan.to_json();
    if (summary) root["calibration"] = summary->to_json();
    fmt::print("{}\n", root.dump());
  } else {
    fmt::print("{}{}", student.plan.to_text(), summary ? summary->to_text() : "");
  }
}

void select(const SelectArguments& arguments) {
  if (arguments.out.empty() && !arguments.dry_run)
    throw UserError("--out is missing", "name the student's file, or use --dry-run");
  const StudentRecipe recipe = read_recipe(arguments);
  std::optional<CalibrationRequest> calibration;
  if (!arguments.audio.empty()) calibration = {arguments.calibration, {arguments.audio}};
  log_info("selects {} from {} by the rules '{}'", arguments.student, arguments.teacher,
           arguments.rules);
  const CalibratedStudent made = make_calibrated_student(
      load_model(arguments.teacher), read_model_config(arguments.student), recipe, calibration);
  const std::string plan_file = arguments.out + ".plan.json";
  if (!arguments.dry_run) {
    save_student(arguments.out, made.student);
    write_file(plan_file, made.student.plan.to_json().dump(1) + "\n");
  }
  print(made, arguments.json);
  if (!arguments.dry_run && !arguments.json) fmt::print("{}\n{}\n", arguments.out, plan_file);
}

// A flag for every option of a rule set; `partial` can be given several times.
void add_rule_flags(CLI::App& command, SelectArguments& arguments) {
  SelectionRules rules;
  Options options;
  rules.declare(options);
  for (const auto& option : options.all()) {
    const std::string key = option->key(), flag = "--" + key;
    if (key == "partial") {
      command.add_option(flag, arguments.partial, option->help());
      continue;
    }
    CLI::Option* added = command.add_option_function<std::string>(
        flag, [&arguments, key](const std::string& text) { arguments.changes[key] = text; },
        option->help());
    if (!option->choices().empty())
      added->type_name(fmt::format("TEXT:{{{}}}", fmt::join(option->choices(), ",")));
  }
}

}  // namespace

void add_select(CLI::App& app) {
  auto arguments = std::make_shared<SelectArguments>();
  CLI::App* command = app.add_subcommand("select", "start a student from a teacher's weights");
  command->add_option("--teacher", arguments->teacher, "the teacher's model file")->required();
  command->add_option("--student", arguments->student, "TOML file with the student's [model]")
      ->required();
  command
      ->add_option("--rules", arguments->rules,
                   fmt::format("rule set: {}", fmt::join(rule_set_names(), ", ")))
      ->capture_default_str();
  add_rule_flags(*command, *arguments);
  command->add_option(
      "--tokenizer", arguments->tokenizer,
      "the student's SentencePiece model, if not the teacher's: pieces that both have "
      "are copied, others stay random");
  command->add_option(
      "--calibration", arguments->audio,
      "manifest of calibration audio, for elements and heads chosen by activations, "
      "and for the options from --compensate on");
  arguments->calibration.declare(arguments->calibration_options);
  add_option_flags(*command, {arguments, &arguments->calibration_options});
  command
      ->add_option("--init", arguments->init,
                   "initialisation of what stays random: xavier, he, default")
      ->capture_default_str();
  command->add_option("--out", arguments->out, "the student's model file");
  command->add_flag("--dry-run", arguments->dry_run, "print the plan without writing files");
  command->add_flag("--json", arguments->json, "print the plan as JSON");
  command->footer("The options of a rule set, --layers to --partial, replace its own.");
  command->callback([arguments] { select(*arguments); });
}

}  // namespace scion
