#include "scion/study/runs.h"

#include <optional>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/json_lines.h"
#include "scion/model/model_file.h"
#include "scion/study/recipe/option_changes.h"
#include "scion/study/student_start.h"
#include "scion/training/config/changed_options.h"
#include "scion/training/run/run_folder.h"
#include "scion/training/run_record.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

const RecipeTeacher& teacher_of(const Recipe& recipe, const StudentRun& run) {
  for (const RecipeTeacher& teacher : recipe.teachers)
    if (teacher.number == run.key.teacher) return teacher;
  return recipe.teachers.front();
}

// The model that students start from: the given file, or the one that the study trains.
fs::path teacher_model(const fs::path& out, const RecipeTeacher& teacher) {
  return teacher.file.empty() ? RunFiles(teacher_folder(out, teacher)).model()
                              : fs::path(teacher.file);
}

std::string teacher_job_name(const RecipeTeacher& teacher) {
  return fmt::format("teacher {}", teacher.number);
}

void fill_common(RunConfig& config, const Recipe& recipe, const SharedSettings& shared) {
  if (!shared.train.empty()) config.data.train = shared.train;
  config.data.evaluation = shared.evaluation;
  config.data.tokenizer = shared.tokenizer;
  config.data.cache = shared.out / "cache";
  config.train.threads = recipe.threads;
}

// Epochs done, from the last whole line of the run's log of updates.
double epochs_done(const fs::path& directory) {
  const nlohmann::json last = last_json_line(RunFiles(directory).updates());
  return last.is_null() ? 0 : last.value("epoch", 0.0);
}

nlohmann::json paths_of(RunConfig config) {
  Options options;
  config.declare(options);
  nlohmann::json paths = nlohmann::json::object();
  for (const auto& option : options.all())
    if (option->is_path()) paths[option->key()] = option->value();
  return paths;
}

// The first option that makes another run of it, or other rows of its results. Options that an
// older program did not write have their defaults. The study's folder may have moved since.
std::string changed_config(const fs::path& file, const RunConfig& config) {
  const RunConfig before = read_run_config(file);
  for (const OptionChange& change : changed_options(before, config))
    if (change.learnt || change.key == "train.epochs" || change.key == "train.evaluate_epochs")
      return change.text();
  nlohmann::json then = paths_of(before);
  const std::string old_out = fs::path(before.data.cache).parent_path();
  const std::string out = fs::path(config.data.cache).parent_path();
  if (old_out != out && !old_out.empty()) {
    std::string text = then.dump();
    for (size_t at = 0; (at = text.find(old_out + "/", at)) != std::string::npos; at += out.size())
      text.replace(at, old_out.size(), out);
    then = nlohmann::json::parse(text);
  }
  return first_change(then, paths_of(config));
}

// What the run in the folder has kept of its inputs; nothing where it has not begun.
std::optional<RunInputs> kept_inputs(const fs::path& directory) {
  const fs::path file = RunFiles(directory).inputs();
  if (!fs::exists(file)) return std::nullopt;
  return RunInputs::unpack(read_safetensors(file));
}

// Runs that are compared have learnt from the same data, and are judged on the same. One that is
// not finished looks itself when it continues.
std::string changed_data(const fs::path& directory, const RunConfig& config) {
  const std::optional<RunInputs> inputs = kept_inputs(directory);
  if (!inputs) return "";
  const std::string change = change_text(inputs->training, list_utterances(config.data.train));
  if (!change.empty()) return "its training data: " + change;
  for (const NamedManifest& set : config.data.evaluation) {
    const auto before = inputs->evaluation.find(set.name);
    if (before != inputs->evaluation.end() &&
        before->second != list_utterances({set.path}).checksum())
      return fmt::format("the utterances of its evaluation set '{}'", set.name);
  }
  return "";
}

// A given teacher that a run distils from, by the checksum that the run has kept.
std::string changed_teacher(const fs::path& directory, const std::string& path,
                            const std::string& checksum) {
  const std::optional<RunInputs> inputs = kept_inputs(directory);
  if (checksum.empty() || !inputs) return "";
  const auto before = inputs->files.find("train.distill.teacher");
  return before == inputs->files.end() || before->second == checksum
             ? ""
             : fmt::format("its teacher is {}, was another", path);
}

Job training_job(const std::string& name, const fs::path& directory, const RunConfig& config,
                 const std::string& program) {
  Job job;
  job.name = name;
  job.directory = directory;
  const fs::path file = directory / "run.toml";
  job.command = {program, "train", "--config", file, "--out", directory};
  job.prepare = [=] {
    fs::create_directories(directory);
    write_file(file, config.to_toml());
  };
  job.changed = [=] {
    if (!is_run(directory)) return std::string();
    const std::string change = changed_config(file, config);
    return change.empty() ? changed_data(directory, config) : change;
  };
  job.done = [=] { return RunFiles(directory).is_finished(); };
  job.progress = [=] { return share_done(directory, config); };
  const double parameters = static_cast<double>(
      parameter_count(config.model, Tokenizer::load(config.data.tokenizer).size()));
  job.cost = static_cast<double>(config.train.epochs) *
             (parameters + 4e5);  // measured: part of a step does not depend on the model's size
  return job;
}

}  // namespace

std::string StudentRun::name() const {
  return fmt::format("{} / {} / {}", arm, budget, run_text(key));
}

double share_done(const fs::path& directory, const RunConfig& config) {
  return std::min(1.0, epochs_done(directory) / static_cast<double>(config.train.epochs));
}

fs::path teacher_folder(const fs::path& out, const RecipeTeacher& teacher) {
  return out / "teachers" / fmt::format("seed-{}", teacher.number);
}

std::vector<StudentRun> student_runs(const Recipe& recipe, const fs::path& out,
                                     const Tuning& tuning) {
  std::vector<StudentRun> runs;
  const auto add = [&](const RecipeArm& arm, const RecipeBudget& budget, const RunKey& key) {
    fs::path folder = out / "students" / budget.name / arm.name;
    if (key.teacher > 0) folder /= fmt::format("teacher-{}", key.teacher);
    folder /= fmt::format("seed-{}", key.seed);
    const std::optional<double> rate =
        arm.tuned ? tuning.best(arm.name, budget.name) : std::nullopt;
    runs.push_back({arm.name, budget.name, key, rate.value_or(arm.run.train.peak_lr), folder});
  };
  const std::vector<int64_t> seeds = recipe.student_seeds();
  const bool paired = recipe.pairing == "paired";
  if (paired && recipe.teachers.size() != seeds.size())
    throw UserError(fmt::format("{} teachers cannot be paired with {} student seeds",
                                recipe.teachers.size(), seeds.size()),
                    "set the number of seeds to the number of teachers");
  for (size_t s = 0; s < seeds.size(); ++s)
    for (const RecipeBudget& budget : recipe.budgets)
      for (const RecipeArm& arm : recipe.arms) {
        if (!arm.runs_in(budget.name)) continue;
        if (!arm.has_teacher()) {
          add(arm, budget, {0, seeds[s]});
          continue;
        }
        for (size_t t = 0; t < recipe.teachers.size(); ++t)
          if (!paired || t == s) add(arm, budget, {recipe.teachers[t].number, seeds[s]});
      }
  return runs;
}

std::vector<StudentRun> tuning_runs(const Recipe& recipe, const fs::path& out) {
  std::vector<StudentRun> runs;
  for (const RecipeBudget& budget : recipe.budgets)
    for (const RecipeArm& arm : recipe.arms) {
      if (!arm.tuned || !arm.runs_in(budget.name)) continue;
      const int64_t teacher = arm.has_teacher() ? recipe.teachers.front().number : 0;
      for (const double rate : recipe.grid)
        runs.push_back({arm.name,
                        budget.name,
                        {teacher, recipe.first_seed},
                        rate,
                        out / budget.name / fmt::format("{} {:g}", arm.name, rate)});
    }
  return runs;
}

RunConfig teacher_config(const Recipe& recipe, const SharedSettings& shared,
                         const RecipeTeacher& teacher) {
  RunConfig config = recipe.teacher;
  fill_common(config, recipe, shared);
  config.train.seed = teacher.number;
  config.train.threads = recipe.teacher_threads;
  return config;
}

RunConfig student_config(const Recipe& recipe, const SharedSettings& shared,
                         const StudentRun& run) {
  const RecipeArm& arm = recipe.arm(run.arm);
  const RecipeBudget& budget = recipe.budget(run.budget);
  RunConfig config = arm.run;
  fill_common(config, recipe, shared);
  config.train.epochs = budget.epochs;
  config.train.evaluate_epochs = budget.evaluate_epochs;
  config.train.seed = run.key.seed;
  config.train.peak_lr = run.peak_lr;
  config.train.init = arm.selected() ? (run.directory / "start.safetensors").string() : arm.init;
  if (arm.distill)
    config.train.distill.teacher = teacher_model(shared.out, teacher_of(recipe, run)).string();
  return config;
}

std::vector<Job> teacher_jobs(const Recipe& recipe, const SharedSettings& shared,
                              const std::string& program) {
  std::vector<Job> jobs;
  if (!recipe.trains_teachers()) return jobs;
  for (const RecipeTeacher& teacher : recipe.teachers) {
    jobs.push_back(training_job(teacher_job_name(teacher), teacher_folder(shared.out, teacher),
                                teacher_config(recipe, shared, teacher), program));
    jobs.back().places = recipe.teacher_places();
  }
  return jobs;
}

Job student_job(const Recipe& recipe, const SharedSettings& shared, const std::string& program,
                const StudentRun& run) {
  const RecipeArm& arm = recipe.arm(run.arm);
  const RecipeTeacher& teacher = teacher_of(recipe, run);
  const RunConfig config = student_config(recipe, shared, run);
  Job job = training_job(run.name(), run.directory, config, program);
  if (arm.has_teacher() && teacher.file.empty()) job.after = {teacher_job_name(teacher)};
  const auto given = shared.given_teachers.find(teacher.number);
  const std::string checksum = given == shared.given_teachers.end() ? "" : given->second;
  if (arm.distill)
    job.changed = [=, directory = run.directory, others_changed = job.changed] {
      const std::string change = others_changed();
      return change.empty() ? changed_teacher(directory, teacher.file, checksum) : change;
    };
  if (!arm.selected()) return job;
  const fs::path weights = run.directory / "start.safetensors";
  const fs::path description = run.directory / "start.json";
  const fs::path model = teacher_model(shared.out, teacher);
  const nlohmann::json start = start_json(arm, model, checksum, run.key.seed);
  job.prepare = [=, write_config = job.prepare, seed = run.key.seed] {
    write_config();
    if (fs::exists(weights) && changed_start(description, start).empty()) return;
    write_file(description, start.dump(1) + "\n");
    write_start(arm, model, seed, config, weights);
  };
  job.changed = [=, directory = run.directory, config_changed = job.changed] {
    const std::string change = config_changed();
    return change.empty() && is_run(directory) ? changed_start(description, start) : change;
  };
  return job;
}

}  // namespace scion
