#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>

#include "scion/cli/program_reference.h"
#include "scion/text/utf8.h"

namespace scion {
namespace {

// Date of the page's fixed sentences; everything else comes from the declarations.
constexpr const char* manual_date = "2026-11-24";

// Escapes roff's backslashes and minus signs; other than ASCII is written as code points.
std::string roff(const std::string& text) {
  std::string safe;
  for (const std::string& character : split_characters(text)) {
    if (character.size() > 1) {
      auto point = static_cast<uint32_t>(character[0]) & (0xFFU >> (character.size() + 1));
      for (size_t i = 1; i < character.size(); ++i)
        point = point << 6 | (static_cast<uint32_t>(character[i]) & 0x3FU);
      safe += fmt::format("\\[u{:04X}]", point);
    } else {
      safe += character == "\\" ? "\\e" : character == "-" ? "\\-" : character;
    }
  }
  return safe;
}

// Wraps at 78 bytes; a line must not begin with a dot or a quote.
std::string paragraph(const std::string& text) {
  std::string lines, line;
  std::istringstream words(roff(text));
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > 78) {
      lines += line + "\n";
      line.clear();
    }
    const bool is_command = line.empty() && (word.front() == '.' || word.front() == '\'');
    line += (line.empty() ? "" : " ") + (is_command ? "\\&" + word : word);
  }
  return lines + line + "\n";
}

std::string flag_entry(const FlagReference& flag) {
  const std::string value = flag.takes_value && !flag.positional ? " \\fIVALUE\\fR" : "";
  const std::string text =
      fmt::format(".TP\n\\f{}{}\\fR{}\n", flag.positional ? 'I' : 'B', roff(flag.name), value);
  std::vector<std::string> details;
  if (flag.required) details.emplace_back("required");
  if (!flag.choices.empty())
    details.push_back(fmt::format("one of: {}", fmt::join(flag.choices, ", ")));
  if (!flag.initial.empty() && flag.takes_value) details.push_back("default: " + flag.initial);
  const std::string more = details.empty() ? "" : fmt::format(" ({})", fmt::join(details, "; "));
  return text + paragraph(flag.help + more);
}

std::string command_section(const CommandReference& command) {
  std::string text = fmt::format(".SS scion {}\n{}", roff(command.name), paragraph(command.help));
  for (const FlagReference& flag : command.flags) text += flag_entry(flag);
  if (command.config_flags.empty()) return text;
  text += ".PP\nEvery option of the configuration is a flag, too:\n";
  for (const FlagReference& flag : command.config_flags) text += flag_entry(flag);
  return text;
}

}  // namespace

std::string manual_page(const std::vector<CommandReference>& commands) {
  std::string text = fmt::format(
      ".\\\" Written by 'make docs' from the declarations of the options.\n"
      ".TH SCION 1 \"{}\" \"scion {}\" \"User Commands\"\n"
      ".SH NAME\nscion \\- trains small transducer speech recognisers\n"
      ".SH SYNOPSIS\n.B scion\n[\\fB\\-\\-quiet\\fR] \\fICOMMAND\\fR [\\fIOPTION\\fR ...]\n"
      ".SH DESCRIPTION\n",
      manual_date, SCION_VERSION);
  text += paragraph(
      "Trains small RNN-T speech recognisers from the weights of large ones. Results go to "
      "standard "
      "output, messages to standard error. "
      "'scion COMMAND --help' lists the options of a command.");
  text += ".SH COMMANDS\n";
  for (const CommandReference& command : commands) text += command_section(command);
  return text +
         ".SH EXIT STATUS\n.TP\n0\nsuccess\n.TP\n1\nsomething failed: a full disk, a training that "
         "diverged\n.TP\n2\nan error that the user can fix: a wrong option, a broken input\n";
}

}  // namespace scion
