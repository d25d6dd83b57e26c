// Reference of the commands and their flags, read from the declarations, for completions and the
// manual page.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace scion {

struct FlagReference {
  std::string name;  ///< "--device"; a positional argument has no dashes
  std::string help;
  std::string initial;               ///< the default, or ""
  std::vector<std::string> choices;  ///< all values, if there is a list
  bool takes_value = true, positional = false, required = false;
};

struct CommandReference {
  std::string name, help;
  std::vector<FlagReference> flags;         ///< in the order of their declaration
  std::vector<FlagReference> config_flags;  ///< `train`: the configuration's options
};

/// The commands registered on the program, without hidden ones.
std::vector<CommandReference> program_reference(const CLI::App& app);

/// A completion script for "bash", "zsh" or "fish".
std::string completion_script(const std::vector<CommandReference>& commands,
                              const std::string& shell);

/// The manual page, section 1, in roff's man macros.
std::string manual_page(const std::vector<CommandReference>& commands);

}  // namespace scion
