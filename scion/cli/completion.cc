// scion completion, scion manual: the program's declarations for shells and man(1).
#include <fmt/format.h>

#include "scion/cli/commands.h"
#include "scion/cli/program_reference.h"

namespace scion {

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
