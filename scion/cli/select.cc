// scion select: a student's first weights, from a teacher.
#include "scion/selection/select.h"

#include <fmt/format.h>

#include <filesystem>

#include "scion/calibration/calibration.h"
#include "scion/cli/commands.h"
#include "scion/cli/config_flags.h"
#include "scion/core/file.h"
#include "scion/core/log.h"
#include "scion/recognition/model_dataset.h"
#include "scion/selection/vocabulary.h"
#include "scion/training/run_config.h"

namespace scion {
namespace {

struct SelectArguments {
  std::string teacher, student, out, rules = "best", tokenizer, init = "xavier";
  std::map<std::string, std::string> changes;  // options of the rule set, by name
  std::vector<std::string> partial;
  std::string audio;  // manifest
  CalibrationConfig calibration{.compensate = "none"};
  Options calibration_options;
  bool dry_run = false, json = false;
};

SelectionRules read_rules(const SelectArguments& arguments) {
  SelectionRules rules = named_rules(arguments.rules);
  Options options;
  rules.declare(options);
  for (const auto& [name, text] : arguments.changes) options.set(name, text, "--" + name);
  nlohmann::json changed = options.to_json();
  changed["partial"] = arguments.partial;
  return make_rules(arguments.rules, changed, "scion select");
}

// The student writes with the teacher's pieces, or with its own.
struct StudentVocabulary {
  std::string tokenizer;  // serialised
  Indices pieces;         // see make_plan(); empty: the teacher's
};

StudentVocabulary read_vocabulary(const SelectArguments& arguments, const ModelFile& teacher) {
  if (arguments.tokenizer.empty()) return {teacher.tokenizer, {}};
  const Tokenizer tokenizer = Tokenizer::load(arguments.tokenizer);
  if (tokenizer.serialised() == teacher.tokenizer) return {teacher.tokenizer, {}};
  return {tokenizer.serialised(), match_pieces(Tokenizer(teacher.tokenizer), tokenizer)};
}

void write_student(const SelectArguments& arguments, const ModelFile& teacher,
                   const std::string& tokenizer, const SelectionRules& rules,
                   const CalibratedSelection& made) {
  const Selection& selection = made.selection;
  nlohmann::json provenance = selection_provenance(arguments.teacher, teacher.provenance,
                                                   arguments.rules, rules, selection.plan);
  if (!arguments.audio.empty())
    provenance["calibrated"] = calibration_provenance(arguments.calibration, made.summary);
  save_model(arguments.out, *selection.student, tokenizer, provenance);
  write_file(arguments.out + ".plan.json", selection.plan.to_json().dump(1) + "\n");
}

CalibratedSelection make_student(const SelectArguments& arguments, const ModelFile& teacher,
                                 const SelectionRules& rules, const Indices& pieces) {
  const ModelConfig student = read_model_config(arguments.student);
  const auto seed = static_cast<uint64_t>(rules.seed);
  if (arguments.audio.empty())
    return {select_student(*teacher.model, student, rules, arguments.init, seed, {}, pieces), {}};
  if (!pieces.empty())
    throw UserError("--calibration and --tokenizer do not go together",
                    "calibration needs a student that writes with the teacher's pieces");
  return select_calibrated(*teacher.model, student, rules, arguments.init, seed,
                           dataset_for(teacher, {arguments.audio}), arguments.calibration);
}

void select(const SelectArguments& arguments) {
  if (arguments.out.empty() && !arguments.dry_run)
    throw UserError("--out is missing", "name the student's file, or use --dry-run");
  const SelectionRules rules = read_rules(arguments);
  log_info("selects {} from {} by the rules '{}'", arguments.student, arguments.teacher,
           arguments.rules);
  const ModelFile teacher = load_model(arguments.teacher);
  const StudentVocabulary vocabulary = read_vocabulary(arguments, teacher);
  const CalibratedSelection made = make_student(arguments, teacher, rules, vocabulary.pieces);
  if (!arguments.dry_run) write_student(arguments, teacher, vocabulary.tokenizer, rules, made);
  const Plan& plan = made.selection.plan;
  if (arguments.json) {
    nlohmann::json json = plan.to_json();
    if (!made.summary.read_outs.empty()) json["calibration"] = made.summary.to_json();
    fmt::print("{}\n", json.dump());
  } else {
    fmt::print("{}{}", plan.to_text(),
               made.summary.read_outs.empty() ? "" : made.summary.to_text());
  }
  if (!arguments.dry_run && !arguments.json)
    fmt::print("{}\n{}.plan.json\n", arguments.out, arguments.out);
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
  command->add_option("--tokenizer", arguments->tokenizer,
                      "the student's own SentencePiece model: pieces that the teacher has too are "
                      "taken, others stay random");
  command->add_option("--calibration", arguments->audio,
                      "manifest of calibration audio: for elements and heads that are chosen by "
                      "activations, and for what the options from --compensate on ask for");
  arguments->calibration.declare(arguments->calibration_options);
  add_option_flags(*command, {arguments, &arguments->calibration_options});
  command->add_option("--init", arguments->init, "for what stays random: xavier, he, default")
      ->capture_default_str();
  command->add_option("--out", arguments->out, "the student's model file");
  command->add_flag("--dry-run", arguments->dry_run, "print the plan, write nothing");
  command->add_flag("--json", arguments->json, "print the plan as JSON");
  command->footer("The options of a rule set, --layers to --partial, replace its own.");
  command->callback([arguments] { select(*arguments); });
}

}  // namespace scion
