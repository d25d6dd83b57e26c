// scion select: a student's first weights, from a teacher.
#include "scion/selection/select.h"

#include <fmt/format.h>

#include "scion/cli/commands.h"
#include "scion/cli/config_flags.h"
#include "scion/core/file.h"
#include "scion/core/log.h"
#include "scion/training/run_config.h"

namespace scion {
namespace {

struct SelectArguments {
  std::string teacher, student, out, rules = "paper", layers, elements, init = "xavier";
  std::vector<std::string> partial;
  bool dry_run = false, json = false;
  int64_t seed = 1;
};

void write_student(const SelectArguments& arguments, const ModelFile& teacher,
                   const SelectionRules& rules, const Selection& selection) {
  if (arguments.out.empty())
    throw UserError("--out is missing", "name the student's file, or use --dry-run");
  const nlohmann::json provenance = selection_provenance(arguments.teacher, teacher.provenance,
                                                         arguments.rules, rules, selection.plan);
  save_model(arguments.out, *selection.student, teacher.tokenizer, provenance);
  write_file(arguments.out + ".plan.json", selection.plan.to_json().dump(1) + "\n");
}

void select(const SelectArguments& arguments) {
  spdlog::info("selects {} from {} by the rules '{}'", arguments.student, arguments.teacher,
               arguments.rules);
  const ModelFile teacher = load_model(arguments.teacher);
  SelectionRules rules = make_rules(arguments.rules, arguments.layers, arguments.elements);
  rules.partial = arguments.partial;
  rules.seed = arguments.seed;
  const Selection selection =
      select_student(*teacher.model, read_model_config(arguments.student), rules, arguments.init,
                     static_cast<uint64_t>(arguments.seed));
  if (!arguments.dry_run) write_student(arguments, teacher, rules, selection);
  if (arguments.json)
    fmt::print("{}\n", selection.plan.to_json().dump());
  else
    fmt::print("{}", selection.plan.to_text());
  if (!arguments.dry_run && !arguments.json)
    fmt::print("{}\n{}.plan.json\n", arguments.out, arguments.out);
}

}  // namespace

void add_select(CLI::App& app) {
  auto arguments = std::make_shared<SelectArguments>();
  CLI::App* command = app.add_subcommand("select", "start a student from a teacher's weights");
  command->add_option("--teacher", arguments->teacher, "the teacher's model file")->required();
  command->add_option("--student", arguments->student, "TOML file with the student's [model]")
      ->required();
  command->add_option("--rules", arguments->rules, "rule set: paper, published")
      ->capture_default_str();
  command->add_option(
      "--layers", arguments->layers,
      "instead of the rule set's: first, last, even, even-last, drop-middle, or the "
      "teacher's layers, as in 0,3,5");
  command->add_option("--elements", arguments->elements,
                      "instead of the rule set's: even, first, random");
  command->add_option("--partial", arguments->partial,
                      "parameters whose names begin so stay random");
  command->add_option("--init", arguments->init, "for what stays random: xavier, he, default")
      ->capture_default_str();
  command->add_option("--seed", arguments->seed, "for what stays random")->capture_default_str();
  command->add_option("--out", arguments->out, "the student's model file");
  command->add_flag("--dry-run", arguments->dry_run, "print the plan, write nothing");
  command->add_flag("--json", arguments->json, "print the plan as JSON");
  command->callback([arguments] { select(*arguments); });
}

}  // namespace scion
