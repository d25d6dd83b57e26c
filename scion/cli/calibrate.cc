// scion calibrate: a selected student's maps and statistics, fitted to its teacher's outputs.
#include <fmt/format.h>

#include "scion/calibration/calibrated_student.h"
#include "scion/cli/commands.h"
#include "scion/cli/config_flags.h"
#include "scion/core/log.h"
#include "scion/core/threads.h"

namespace scion {
namespace {

struct CalibrateArguments {
  CalibrationConfig config;
  Options options;
  std::string teacher, student, manifest, out;
  int threads = 0;
  bool json = false;
};

void run(const CalibrateArguments& arguments) {
  if (arguments.threads > 0) set_thread_count(arguments.threads);
  const ModelFile teacher = load_model(arguments.teacher);
  Student student = load_student(arguments.student, teacher);
  log_info("calibrates {} with {} on at most {:.0f} s of {}", arguments.student,
               arguments.teacher, arguments.config.seconds, arguments.manifest);
  const CalibrationSummary summary =
      calibrate_student(teacher, student, {arguments.config, {arguments.manifest}});
  if (arguments.json)
    fmt::print("{}\n", summary.to_json().dump());
  else
    fmt::print("{}", summary.to_text());
  if (arguments.out.empty()) return;
  save_student(arguments.out, student);
  if (!arguments.json) fmt::print("{}\n", arguments.out);
}

}  // namespace

void add_calibrate(CLI::App& app) {
  auto arguments = std::make_shared<CalibrateArguments>();
  arguments->config.declare(arguments->options);
  CLI::App* command =
      app.add_subcommand("calibrate", "fit a selected student to its teacher, without training");
  command->add_option("manifest", arguments->manifest, "calibration audio, with its texts")
      ->required();
  command->add_option("--teacher", arguments->teacher, "the teacher's model file")->required();
  command->add_option("--student", arguments->student, "a file that scion select has written")
      ->required();
  command->add_option("--out", arguments->out, "the file to write; none: only the table");
  add_option_flags(*command, {arguments, &arguments->options});
  command->add_option("--threads", arguments->threads, "0: all processors")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", arguments->json, "print one JSON object");
  command->callback([arguments] { run(*arguments); });
}

}  // namespace scion
