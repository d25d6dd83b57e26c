#include "scion/study/runs.h"

#include "scion/core/error.h"
#include "scion/core/file.h"
#include "scion/model/model_file.h"
#include "scion/selection/random_init.h"
#include "scion/selection/select.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

void fill_common(RunConfig& config, const Recipe& recipe, const RunPlace& place) {
  config.data.train = place.train;
  config.data.evaluation = place.evaluation;
  config.data.tokenizer = place.tokenizer;
  config.data.cache = place.out / "cache";
  config.train.threads = recipe.threads;
}

// Updates done, from the end of the run's log of updates.
double epochs_done(const fs::path& directory) {
  const fs::path path = directory / "updates.jsonl";
  std::error_code missing;
  const auto size = fs::file_size(path, missing);
  if (missing || size == 0) return 0;
  const MappedFile file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes().data()),
                              file.bytes().size());
  const size_t end = text.rfind('\n');
  if (end == std::string_view::npos || end == 0) return 0;
  const size_t begin = text.rfind('\n', end - 1);
  const auto line = nlohmann::json::parse(
      text.substr(begin == std::string_view::npos ? 0 : begin + 1, end), nullptr, false);
  if (line.is_discarded()) return 0;
  return line.value("epoch", 0.0);
}

Job training_job(const std::string& name, const fs::path& directory, const RunConfig& config,
                 const RunPlace& place) {
  Job job;
  job.name = name;
  job.directory = directory;
  const fs::path file = directory / "run.toml";
  job.command = {place.program, "train", "--config", file, "--out", directory};
  job.prepare = [=] {
    fs::create_directories(directory);
    write_file(file, config.to_toml());
  };
  job.done = [=] { return fs::exists(directory / "model.safetensors"); };
  const double epochs = static_cast<double>(config.train.epochs);
  job.progress = [=] { return std::min(1.0, epochs_done(directory) / epochs); };
  const double parameters =
      static_cast<double>(Transducer(config.model, 64).registry().parameter_count());
  job.cost = epochs *
             (parameters + 4e5);  // measured: a step has a share that does not grow with the model
  return job;
}

// The student's first weights, from the teacher as it stands when the run starts.
void write_start(const Recipe& recipe, const RunPlace& place, const RecipeArm& arm, int64_t seed,
                 const ModelConfig& student, const fs::path& path) {
  if (fs::exists(path)) return;
  const fs::path teacher_path = teacher_model(recipe, place);
  const ModelFile teacher = load_model(teacher_path);
  SelectionRules rules = make_rules(arm.rules, arm.layers, arm.elements);
  rules.seed = seed;
  Selection selection =
      select_student(*teacher.model, student, rules, "xavier", static_cast<uint64_t>(seed));
  if (arm.control == "shuffled")
    shuffle_inside_tensors(selection.student->registry(), static_cast<uint64_t>(seed));
  if (arm.control == "redrawn")
    redraw_with_own_deviation(selection.student->registry(), static_cast<uint64_t>(seed));
  nlohmann::json provenance =
      selection_provenance(teacher_path, teacher.provenance, arm.rules, rules, selection.plan);
  if (!arm.control.empty()) provenance["control"] = arm.control;
  save_model(path, *selection.student, teacher.tokenizer, provenance);
}

}  // namespace

std::string StudentRun::name() const {
  return fmt::format("{} / {} / seed {}", arm, schedule, seed);
}

fs::path teacher_model(const Recipe& recipe, const RunPlace& place) {
  return recipe.teacher_file.empty() ? place.out / "teacher" / "model.safetensors"
                                     : fs::path(recipe.teacher_file);
}

Job teacher_job(const Recipe& recipe, const RunPlace& place) {
  RunConfig config = recipe.teacher;
  fill_common(config, recipe, place);
  return training_job("teacher", place.out / "teacher", config, place);
}

Job student_job(const Recipe& recipe, const RunPlace& place, const StudentRun& run) {
  const RecipeArm& arm = recipe.arm(run.arm);
  const RecipeSchedule& schedule = recipe.schedule(run.schedule);
  RunConfig config = recipe.student;
  fill_common(config, recipe, place);
  config.train.epochs = schedule.epochs;
  config.train.evaluate_epochs = schedule.evaluate_epochs;
  config.train.seed = run.seed;
  config.train.peak_lr = run.peak_lr;
  const fs::path start = run.directory / "start.safetensors";
  config.train.init = arm.selected() ? start.string() : arm.init;
  Job job = training_job(run.name(), run.directory, config, place);
  if (!arm.selected()) return job;
  if (recipe.teacher_file.empty()) job.after = {"teacher"};
  job.prepare = [=, write_config = job.prepare, model = config.model, arm = arm, seed = run.seed] {
    write_config();
    write_start(recipe, place, arm, seed, model, start);
  };
  return job;
}

}  // namespace scion
