// scion calibrate: a selected student's maps and statistics, fitted to its teacher's outputs.
#include <fmt/format.h>

#include "scion/calibration/calibration.h"
#include "scion/cli/commands.h"
#include "scion/cli/config_flags.h"
#include "scion/core/file.h"
#include "scion/core/log.h"
#include "scion/core/threads.h"
#include "scion/recognition/model_dataset.h"

namespace scion {
namespace {

struct CalibrateArguments {
  CalibrationConfig config;
  Options options;
  std::string teacher, student, manifest, out;
  int threads = 0;
  bool json = false;
};

// The plan that the student was made by, which its file records.
Plan plan_of(const ModelFile& student, const CalibrateArguments& arguments) {
  if (!student.provenance.is_object() || !student.provenance.contains("selected"))
    throw UserError(fmt::format("{} was not selected from a teacher", arguments.student),
                    "name a file that scion select has written, before any training");
  const nlohmann::json& selected = student.provenance["selected"];
  const std::string wanted = selected.value("teacher_checksum", "");
  if (wanted != checksum(read_file(arguments.teacher)))
    throw UserError(fmt::format("{} was selected from another file than {}", arguments.student,
                                arguments.teacher),
                    fmt::format("name the teacher, a file '{}' with the checksum {}",
                                selected.value("teacher", "?"), wanted));
  return Plan::from_json(selected.at("plan"), arguments.student);
}

void run(const CalibrateArguments& arguments) {
  if (arguments.threads > 0) set_thread_count(arguments.threads);
  const ModelFile teacher = load_model(arguments.teacher);
  ModelFile student = load_model(arguments.student);
  const Plan plan = plan_of(student, arguments);
  const Dataset data = dataset_for(teacher, {arguments.manifest});
  log_info("calibrates {} beside {} on at most {:.0f} s of {}", arguments.student,
           arguments.teacher, arguments.config.seconds, arguments.manifest);
  const CalibrationSummary summary =
      calibrate(*teacher.model, *student.model, plan, data, arguments.config);
  if (arguments.json)
    fmt::print("{}\n", summary.to_json().dump());
  else
    fmt::print("{}", summary.to_text());
  if (arguments.out.empty()) return;
  student.provenance["calibrated"] = calibration_provenance(arguments.config, summary);
  save_model(arguments.out, *student.model, student.tokenizer, student.provenance);
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
