// scion completion, scion manual: the program's declarations for shells and man(1). Flags without a
// list of values complete to files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "scion/cli/commands.h"
#include "scion/cli/program_reference.h"

namespace scion {
namespace {

std::vector<FlagReference> named_flags(const CommandReference& command) {
  std::vector<FlagReference> flags;
  for (const auto* list : {&command.flags, &command.config_flags})
    for (const FlagReference& flag : *list)
      if (!flag.positional) flags.push_back(flag);
  return flags;
}

// Escapes text for single quotes in any of the shells.
std::string quoted(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '\'' ? "’" : std::string(1, c);
  return "'" + safe + "'";
}

std::string command_names(const std::vector<CommandReference>& commands) {
  std::vector<std::string> names;
  for (const CommandReference& command : commands) names.push_back(command.name);
  return fmt::format("{}", fmt::join(names, " "));
}

// Completes values by "command flag", then flags by command, otherwise files.
std::string bash_script(const std::vector<CommandReference>& commands) {
  std::string values, flags;
  for (const CommandReference& command : commands) {
    std::vector<std::string> names;
    for (const FlagReference& flag : named_flags(command)) {
      names.push_back(flag.name);
      if (!flag.choices.empty())
        values += fmt::format("    '{} {}') words={} ;;\n", command.name, flag.name,
                              quoted(fmt::format("{}", fmt::join(flag.choices, " "))));
    }
    flags += fmt::format("      {}) words={} ;;\n", command.name,
                         quoted(fmt::format("{}", fmt::join(names, " "))));
    for (const FlagReference& flag : command.flags)
      if (flag.positional && !flag.choices.empty())
        values += fmt::format("    '{0} {0}') words={1} ;;\n", command.name,
                              quoted(fmt::format("{}", fmt::join(flag.choices, " "))));
  }
  return fmt::format(R"(# bash completion of scion: source <(scion completion bash)
_scion() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" words=''
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W '{} --help --version --quiet' -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}} $previous" in
{}  esac
  if [[ -z $words && $current == -* ]]; then
    case "${{COMP_WORDS[1]}}" in
{}    esac
  fi
  if [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _scion scion
)",
                     command_names(commands), values, flags);
}

// In an _arguments specification, brackets end the help text and colons separate its parts.
std::string zsh_help(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') safe += '\\';
    safe += c;
  }
  return safe;
}

std::string zsh_script(const std::vector<CommandReference>& commands) {
  std::string list, cases;
  for (const CommandReference& command : commands) {
    list += "    " + quoted(command.name + ":" + zsh_help(command.help)) + "\n";
    cases += fmt::format("    {})\n      _arguments \\\n", command.name);
    for (const FlagReference& flag : named_flags(command)) {
      std::string value;
      if (flag.takes_value)
        value = flag.choices.empty() ? ":value:_files"
                                     : fmt::format(":value:({})", fmt::join(flag.choices, " "));
      cases += fmt::format("        {} \\\n",
                           quoted(fmt::format("{}[{}]{}", flag.name, zsh_help(flag.help), value)));
    }
    std::string files = "_files";
    for (const FlagReference& flag : command.flags)
      if (flag.positional && !flag.choices.empty())
        files = fmt::format("({})", fmt::join(flag.choices, " "));
    cases += fmt::format("        '*:file:{}'\n      ;;\n", files);
  }
  return fmt::format(R"(#compdef scion
# zsh completion of scion: scion completion zsh > a folder of $fpath, as _scion
_scion() {{
  local -a commands
  commands=(
{}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{}  esac
}}
if [[ $funcstack[1] == _scion ]]; then _scion "$@"; else compdef _scion scion; fi
)",
                     list, cases);
}

std::string fish_script(const std::vector<CommandReference>& commands) {
  std::string text =
      "# fish completion of scion: scion completion fish > "
      "~/.config/fish/completions/scion.fish\n";
  for (const CommandReference& command : commands)
    text += fmt::format("complete -c scion -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                        quoted(command.help));
  for (const CommandReference& command : commands) {
    const std::string here =
        fmt::format("complete -c scion -n '__fish_seen_subcommand_from {}'", command.name);
    for (const FlagReference& flag : named_flags(command)) {
      std::string value;
      if (flag.takes_value)
        value = flag.choices.empty()
                    ? " -r"
                    : " -x -a " + quoted(fmt::format("{}", fmt::join(flag.choices, " ")));
      text +=
          fmt::format("{} -l {}{} -d {}\n", here, flag.name.substr(2), value, quoted(flag.help));
    }
    for (const FlagReference& flag : command.flags)
      if (flag.positional && !flag.choices.empty())
        text += fmt::format("{} -f -a {}\n", here,
                            quoted(fmt::format("{}", fmt::join(flag.choices, " "))));
  }
  return text;
}

}  // namespace

std::string completion_script(const std::vector<CommandReference>& commands,
                              const std::string& shell) {
  if (shell == "bash") return bash_script(commands);
  return shell == "zsh" ? zsh_script(commands) : fish_script(commands);
}

void add_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "print a completion script for the shell");
  command->add_option("shell", *shell, "source <(scion completion bash)")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback(
      [shell, &app] { fmt::print("{}", completion_script(program_reference(app), *shell)); });
}

void add_manual(CLI::App& app) {
  CLI::App* command = app.add_subcommand("manual", "print the manual page (docs/scion.1)");
  command->group("");  // for 'make docs'
  command->callback([&app] { fmt::print("{}", manual_page(program_reference(app))); });
}

}  // namespace scion
