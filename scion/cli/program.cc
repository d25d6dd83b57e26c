#include "scion/cli/program.h"

#include <fmt/format.h>

#include <exception>
#include <filesystem>

#include "scion/cli/commands.h"
#include "scion/cli/logging.h"
#include "scion/core/error.h"
#include "scion/core/foreign_text.h"
#include "scion/core/options.h"
#include "scion/core/out_of_memory.h"

namespace scion {
namespace {

int report(const std::string& message, const std::string& hint, int status) {
  fmt::print(stderr, "error: {}\n", printable(message));
  if (!hint.empty()) fmt::print(stderr, "hint: {}\n", printable(hint));
  return status;
}

// The first line only: libraries append stack traces.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// CLI11 would only report that a command is required.
void check_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), argv[1]) != names.end()) return;
  const std::string near = nearest_name(argv[1], names);
  throw UserError(fmt::format("no command is called '{}'", argv[1]),
                  (near.empty() ? "" : fmt::format("did you mean '{}'? ", near)) +
                      "scion --help lists the commands");
}

// Hint for a command line that CLI11 rejects: the nearest flag if one is unknown.
std::string parse_hint(const CLI::App& app, int argc, char** argv) {
  const auto commands = app.get_subcommands();
  const CLI::App& command = commands.empty() ? app : *commands.front();
  std::vector<std::string> names = {"--help"};
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  for (int i = commands.empty() ? 1 : 2; i < argc; ++i) {
    const std::string flag = std::string(argv[i]).substr(0, std::string(argv[i]).find('='));
    if (!flag.starts_with("--") || std::find(names.begin(), names.end(), flag) != names.end())
      continue;
    const std::string near = nearest_name(flag, names);
    if (!near.empty()) return fmt::format("{} is not known; did you mean {}?", flag, near);
  }
  return "scion --help, or scion COMMAND --help, lists the options";
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app{"trains small RNN-T speech recognisers from the weights of large ones"};
  app.set_version_flag("--version", SCION_VERSION);
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  app.add_flag_callback(
      "--quiet", [] { start_logging(true); }, "warnings and errors only");
  add_prepare(app);
  add_train(app);
  add_import(app);
  add_select(app);
  add_calibrate(app);
  add_evaluate(app);
  add_align(app);
  add_transcribe(app);
  add_score(app);
  add_compare(app);
  add_inspect(app);
  add_config(app);
  add_completion(app);
  add_manual(app);
  start_logging(false);
  try {
    check_command(app, argc, argv);
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return report(error.what(), parse_hint(app, argc, argv), 2);
  } catch (const Error& error) {
    return report(error.what(), error.hint(), error.exit_status());
  } catch (const std::filesystem::filesystem_error& error) {
    return report(first_line(error.what()), "check the paths, their permissions and the disk", 1);
  } catch (const std::exception& error) {
    if (is_out_of_memory(error))
      return report("out of memory", "lower loader.batch_seconds or close other programs", 1);
    return report(first_line(error.what()),
                  "this is a defect in scion; please report it with the command", 1);
  }
}

}  // namespace scion
