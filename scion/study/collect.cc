#include "scion/study/collect.h"

#include "scion/core/files/json_lines.h"
#include "scion/study/given_teachers.h"
#include "scion/training/run/run_folder.h"

namespace scion {
namespace {

ResultRow result_row(const nlohmann::json& line, const std::string& arm, const std::string& budget,
                     const RunKey& run, const std::map<std::string, std::string>& speakers) {
  ResultRow row;
  row.arm = arm;
  row.budget = budget;
  row.teacher = run.teacher;
  row.seed = run.seed;
  row.set = line.at("set");
  row.weights = enum_of<Weights>(line.value("weights", "raw")).value();
  row.update = line.at("update");
  row.epoch = line.at("epoch");
  row.wer = line.at("wer").is_null() ? HUGE_VAL : line.at("wer").get<double>();
  row.errors = line.at("errors");
  row.words = line.at("words");
  row.substitutions = line.at("substitutions");
  row.insertions = line.at("insertions");
  row.deletions = line.at("deletions");
  row.training_seconds = line.at("training_seconds");
  row.compute_seconds = row.training_seconds;
  for (const auto& [id, counts] : line.at("utterances").items())
    row.utterances.push_back({id, speakers.at(id), counts.at(0), counts.at(1)});
  return row;
}

std::filesystem::path teacher_results(const std::filesystem::path& out,
                                      const RecipeTeacher& teacher) {
  return teacher.file.empty() ? RunFiles(teacher_folder(out, teacher)).results()
                              : given_teacher_results(out, teacher);
}

}  // namespace

void collect_runs(const Recipe& recipe, const std::filesystem::path& out,
                  const std::vector<StudentRun>& runs,
                  const std::map<std::string, std::string>& speakers, StudyReport& report) {
  std::map<int64_t, double> teacher_seconds;
  if (recipe.has_teachers())
    for (const RecipeTeacher& teacher : recipe.teachers)
      for (const auto& line : read_json_lines(teacher_results(out, teacher))) {
        report.teacher.push_back(result_row(line, "teacher", "", {0, teacher.number}, speakers));
        teacher_seconds[teacher.number] = report.teacher.back().training_seconds;
      }
  for (const StudentRun& run : runs) {
    for (const auto& line : read_json_lines(RunFiles(run.directory).results())) {
      report.rows.push_back(result_row(line, run.arm, run.budget, run.key, speakers));
      report.rows.back().compute_seconds += teacher_seconds[run.key.teacher];
    }
    MeasuredRun measured = read_measured_run(run.directory);
    measured.budget = run.budget;
    measured.arm = run.arm;
    measured.run = run.key;
    report.measured_runs.push_back(std::move(measured));
  }
}

}  // namespace scion
