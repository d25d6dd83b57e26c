#include "scion/cli/program_reference.h"

#include "scion/training/config/run_config.h"

namespace scion {
namespace {

// CLI11 keeps the values of IsMember only in the type's name: "TEXT:{fp32,bf16,auto}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{'), close = type.rfind('}');
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
}

FlagReference flag_reference(const CLI::Option& option) {
  FlagReference flag;
  flag.positional = option.get_positional();
  flag.name = flag.positional ? option.get_single_name() : "--" + option.get_single_name();
  flag.help = option.get_description();
  flag.initial = option.get_default_str();
  flag.choices = choices_of(option);
  flag.takes_value = option.get_items_expected_max() > 0;
  flag.required = option.get_required();
  return flag;
}

std::vector<FlagReference> configuration_flags() {
  RunConfig config;
  Options options;
  config.declare(options);
  std::vector<FlagReference> flags;
  for (const auto& option : options.all()) {
    FlagReference& flag = flags.emplace_back();
    flag.name = "--" + option->key();
    flag.help = option->help();
    flag.initial =
        option->value().is_string() ? option->value().get<std::string>() : option->value().dump();
    flag.choices = option->choices();
    if (option->value().is_boolean()) flag.choices = {"true", "false"};
  }
  return flags;
}

}  // namespace

std::vector<CommandReference> program_reference(const CLI::App& app) {
  std::vector<CommandReference> commands;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_group().empty()) continue;
    CommandReference& reference = commands.emplace_back();
    reference.name = command->get_name();
    reference.help = command->get_description();
    for (const CLI::Option* option : command->get_options())
      if (!option->get_group().empty())  // older spellings have none
        reference.flags.push_back(flag_reference(*option));
    if (reference.name == "train") reference.config_flags = configuration_flags();
  }
  return commands;
}

}  // namespace scion
