// scion calibrate: fits a selected student to its teacher, without training.
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
  std::string student, manifest, teacher, out;
  std::string student_flag;  // the student of older command lines: MANIFEST --student MODEL
  int threads = 0;
  bool json = false;
};

// In older command lines the manifest is the only positional argument.
void accept_older_form(CalibrateArguments& arguments) {
  if (!arguments.student_flag.empty()) {
    if (!arguments.manifest.empty())
      throw UserError("the student is given twice: " + arguments.student + " and --student",
                      "scion calibrate MODEL MANIFEST --teacher TEACHER");
    arguments.manifest = arguments.student;
    arguments.student = arguments.student_flag;
  }
  if (arguments.manifest.empty())
    throw UserError("the manifest of the calibration audio is missing",
                    "scion calibrate MODEL MANIFEST --teacher TEACHER");
}

void run(const CalibrateArguments& arguments) {
  use_threads(arguments.threads);
  const ModelFile teacher = load_model(arguments.teacher);
  Student student = load_student(arguments.student, teacher);
  log_info("calibrates {} with {} on at most {:.0f} s of {}", arguments.student, arguments.teacher,
           arguments.config.seconds, arguments.manifest);
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
  command->add_option("model", arguments->student, "student, a model file that scion select wrote")
      ->required();
  command->add_option("manifest", arguments->manifest, "calibration audio with its texts");
  command->add_option("--teacher", arguments->teacher, "the teacher's model file")->required();
  command->add_option("--student", arguments->student_flag)->group("");
  command->add_option("--out", arguments->out, "file to write; none: only print the table");
  add_option_flags(*command, {arguments, &arguments->options});
  command->add_option("--threads", arguments->threads, "0: all processors")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", arguments->json, "print one JSON object");
  command->callback([arguments] {
    accept_older_form(*arguments);
    run(*arguments);
  });
}

}  // namespace scion
