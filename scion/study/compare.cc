#include "scion/study/compare.h"

#include <ctime>
#include <set>

#include "scion/core/error.h"
#include "scion/core/file.h"
#include "scion/core/log.h"
#include "scion/core/threads.h"
#include "scion/data/condition.h"
#include "scion/data/dataset.h"
#include "scion/model/transducer.h"
#include "scion/study/checks.h"
#include "scion/study/report.h"
#include "scion/study/runs.h"
#include "scion/study/tuning.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

std::vector<nlohmann::json> read_lines(const fs::path& path) {
  std::vector<nlohmann::json> lines;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::string today() {
  char text[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  return text;
}

class Experiment {
 public:
  Experiment(const Recipe& recipe, const CompareOptions& options)
      : recipe_(recipe), options_(options), out_(fs::absolute(options.out)) {
    fs::create_directories(out_);
    lock_ = std::make_unique<DirectoryLock>(out_);
  }

  bool run() {
    record_recipe();
    prepare_tokenizer();
    tune();
    prepare_sets();
    train_all();
    return report();
  }

 private:
  // A folder belongs to one recipe: its results are comparable with nothing else.
  void record_recipe() {
    const fs::path path = out_ / "recipe.toml";
    const std::string text = read_file(options_.recipe_file);
    if (fs::exists(path) && read_file(path) != text)
      throw UserError(fmt::format("{} holds a comparison by another recipe", out_.string()),
                      "choose another --out, or remove the folder to start afresh");
    write_file(path, text);
  }

  void prepare_tokenizer() {
    tokenizer_ = recipe_.teacher.data.tokenizer;
    if (!tokenizer_.empty()) return;
    const fs::path path = out_ / "tokenizer.model";
    tokenizer_ = path;
    if (fs::exists(path)) return;
    std::vector<std::string> texts;
    for (const std::string& manifest : recipe_.teacher.data.train)
      for (const Utterance& utterance : read_manifest(manifest)) texts.push_back(utterance.text);
    write_file(path, Tokenizer::train(texts, recipe_.teacher.tokenizer).serialised());
  }

  RunPlace place(const fs::path& out, const std::vector<std::string>& train,
                 std::vector<std::string> evaluation) const {
    return {out, options_.program, tokenizer_, train, std::move(evaluation)};
  }

  // Features are computed here once, on all processors, so that the runs only read them.
  void make_features(const RunPlace& place) const {
    const Tokenizer tokenizer = Tokenizer::load(tokenizer_);
    const auto make = [&](const std::vector<fs::path>& manifests,
                          const std::vector<double>& speeds) {
      const Dataset made(manifests, recipe_.teacher.model.features, tokenizer, place.out / "cache",
                         speeds);
    };
    const std::vector<fs::path> train(place.train.begin(), place.train.end());
    make(train, recipe_.student.augment.speeds);
    if (needs_teacher()) make(train, recipe_.teacher.augment.speeds);
    for (const std::string& entry : place.evaluation)
      make({entry.substr(entry.find('=') + 1)}, {1.0});
  }

  // The frozen outcome beside the recipe, or the tuning itself: every arm and schedule on the same
  // grid, trained without dev, judged on dev.
  void tune() {
    if (recipe_.grid.empty()) return;
    const fs::path fresh = out_ / "tuning.json";
    if (!options_.tune && fs::exists(recipe_.tuning_file)) {
      tuning_ = read_tuning(recipe_.tuning_file);
      return;
    }
    const RunPlace tuning =
        place(out_ / "tuning", recipe_.tuning_train, {"dev=" + recipe_.tuning_set});
    make_features(tuning);
    std::vector<Job> jobs;
    if (needs_teacher()) jobs.push_back(teacher_job(recipe_, tuning));
    std::vector<StudentRun> runs;
    for (const RecipeSchedule& schedule : recipe_.schedules)
      for (const RecipeArm& arm : recipe_.arms)
        for (const double rate : recipe_.grid) {
          runs.push_back({arm.name, schedule.name, recipe_.first_seed, rate,
                          tuning.out / schedule.name / fmt::format("{} {:g}", arm.name, rate)});
          jobs.push_back(student_job(recipe_, tuning, runs.back()));
          jobs.back().name = fmt::format("tuning {} / {} / {:g}", arm.name, schedule.name, rate);
        }
    run_jobs(std::move(jobs), recipe_.jobs);
    for (const StudentRun& run : runs)
      tuning_.trials.push_back(
          {run.arm, run.schedule, run.peak_lr,
           read_lines(run.directory / "results.jsonl").back().at("wer").get<double>()});
    write_file(fresh, tuning_.to_json());
    spdlog::info("tuned on dev: {}", fresh.string());
  }

  bool needs_teacher() const {
    return recipe_.teacher_file.empty() &&
           std::any_of(recipe_.arms.begin(), recipe_.arms.end(),
                       [](const RecipeArm& arm) { return arm.selected(); });
  }

  void prepare_sets() {
    for (const RecipeSet& set : recipe_.sets) {
      fs::path manifest = set.manifest;
      if (set.corrupted)
        manifest = make_condition(manifest, set.babble, set.corruption, out_ / "sets" / set.name);
      evaluation_.push_back(set.name + "=" + manifest.string());
      for (const Utterance& utterance : read_manifest(manifest))
        speakers_[utterance.id] = utterance.speaker;
    }
  }

  double peak_lr(const std::string& arm, const std::string& schedule) const {
    return tuning_.best(arm, schedule).value_or(recipe_.student.train.peak_lr);
  }

  void train_all() {
    const RunPlace here = place(out_, recipe_.teacher.data.train, evaluation_);
    make_features(here);
    std::vector<Job> jobs;
    if (needs_teacher()) jobs.push_back(teacher_job(recipe_, here));
    // Seeds outermost: an interrupted comparison has whole pairs.
    for (int64_t seed = recipe_.first_seed; seed < recipe_.first_seed + recipe_.seeds; ++seed)
      for (const RecipeSchedule& schedule : recipe_.schedules)
        for (const RecipeArm& arm : recipe_.arms) {
          runs_.push_back(
              {arm.name, schedule.name, seed, peak_lr(arm.name, schedule.name),
               out_ / "students" / schedule.name / arm.name / fmt::format("seed-{}", seed)});
          jobs.push_back(student_job(recipe_, here, runs_.back()));
        }
    run_jobs(std::move(jobs), recipe_.jobs);
  }

  ResultRow row(const nlohmann::json& line, const std::string& arm, const std::string& schedule,
                int64_t seed, double before_seconds) const {
    ResultRow row;
    row.arm = arm;
    row.schedule = schedule;
    row.seed = seed;
    row.set = line.at("set");
    row.update = line.at("update");
    row.epoch = line.at("epoch");
    row.wer = line.at("wer");
    row.errors = line.at("errors");
    row.words = line.at("words");
    row.substitutions = line.at("substitutions");
    row.insertions = line.at("insertions");
    row.deletions = line.at("deletions");
    row.training_seconds = line.at("training_seconds");
    row.compute_seconds = row.training_seconds + before_seconds;
    for (const auto& [id, counts] : line.at("utterances").items())
      row.utterances.push_back({id, speakers_.at(id), counts.at(0), counts.at(1)});
    return row;
  }

  void collect(StudyReport& report) const {
    double teacher_seconds = 0;
    if (needs_teacher()) {
      for (const auto& line : read_lines(out_ / "teacher" / "results.jsonl")) {
        report.teacher.push_back(row(line, "teacher", "teacher", recipe_.teacher.train.seed, 0));
        teacher_seconds = report.teacher.back().training_seconds;
      }
    }
    for (const StudentRun& run : runs_) {
      const double before = recipe_.arm(run.arm).selected() ? teacher_seconds : 0;
      for (const auto& line : read_lines(run.directory / "results.jsonl"))
        report.rows.push_back(row(line, run.arm, run.schedule, run.seed, before));
      for (const auto& line : read_lines(run.directory / "updates.jsonl"))
        report.gradients.push_back(
            {run.schedule, run.arm, run.seed, line.at("update"), line.at("gradient_norm")});
    }
  }

  // The epoch at a share of the budget: the nearest that was evaluated, not before it.
  double epoch_at(const std::string& schedule, double share) const {
    const RecipeSchedule& budget = recipe_.schedule(schedule);
    const double asked = share * static_cast<double>(budget.epochs);
    for (const int64_t epoch : budget.evaluate_epochs)
      if (static_cast<double>(epoch) >= asked - 1e-9) return static_cast<double>(epoch);
    return static_cast<double>(budget.epochs);
  }

  Differences differences(const std::vector<ResultRow>& rows) const {
    const auto comparison = [&](const std::string& arm, const std::string& schedule,
                                const std::string& set, double share) {
      return Comparison{schedule, set, recipe_.baseline, arm, epoch_at(schedule, share)};
    };
    const Comparison primary = comparison(recipe_.primary_arm, recipe_.primary_schedule,
                                          recipe_.primary_set, recipe_.primary_share);
    std::vector<Comparison> secondary;
    for (const RecipeSchedule& schedule : recipe_.schedules)
      for (const RecipeSet& set : recipe_.sets)
        for (const RecipeArm& arm : recipe_.arms)
          for (const double share : {recipe_.primary_share, 1.0}) {
            const Comparison other = comparison(arm.name, schedule.name, set.name, share);
            const bool same = other.first == primary.first && other.second == primary.second &&
                              other.schedule == primary.schedule && other.set == primary.set &&
                              other.epoch == primary.epoch;
            if (arm.name != recipe_.baseline && !same) secondary.push_back(other);
          }
    return compare_arms(rows, primary, secondary);
  }

  std::map<std::string, std::set<std::string>> seen_sentences() const {
    std::set<std::string> training;
    for (const std::string& manifest : recipe_.teacher.data.train)
      for (const Utterance& utterance : read_manifest(manifest)) training.insert(utterance.text);
    std::map<std::string, std::set<std::string>> seen;
    for (const std::string& entry : evaluation_) {
      const size_t equals = entry.find('=');
      for (const Utterance& utterance : read_manifest(entry.substr(equals + 1)))
        if (training.contains(utterance.text)) seen[entry.substr(0, equals)].insert(utterance.id);
    }
    return seen;
  }

  std::vector<ArmDescription> arm_descriptions() const {
    std::vector<ArmDescription> arms;
    for (const RecipeArm& arm : recipe_.arms) {
      std::string text = arm.selected()
                             ? fmt::format("selected by the rules '{}'{}{}", arm.rules,
                                           arm.layers.empty() ? "" : ", layers " + arm.layers,
                                           arm.elements.empty() ? "" : ", elements " + arm.elements)
                             : fmt::format("random, {}", arm.init);
      if (!arm.control.empty())
        text += fmt::format(", then {} inside each tensor (control)", arm.control);
      arms.push_back({.name = arm.name, .description = text});
    }
    return arms;
  }

  void add_tuning(StudyReport& report) const {
    for (const TuningTrial& trial : tuning_.trials)
      report.tuning.push_back({trial.schedule, trial.arm, fmt::format("{:g}", trial.peak_lr),
                               trial.dev_wer,
                               tuning_.best(trial.arm, trial.schedule) == trial.peak_lr});
  }

  void add_facts(StudyReport& report) const {
    double hours = 0;
    size_t utterances = 0;
    for (const std::string& manifest : recipe_.teacher.data.train)
      for (const Utterance& utterance : read_manifest(manifest)) {
        hours += utterance.seconds / 3600;
        ++utterances;
      }
    const auto parameters = [](const ModelConfig& model) {
      return static_cast<double>(Transducer(model, 29).registry().parameter_count()) / 1e6;
    };
    report.facts = {
        {"recipe", options_.recipe_file.filename().string()},
        {"date", today()},
        {"program", std::string("scion ") + SCION_VERSION},
        {"processor", processor().name},
        {"runs at a time × threads", fmt::format("{} × {}", recipe_.jobs, recipe_.threads)},
        {"training data", fmt::format("{} utterances, {:.2f} h", utterances, hours)},
        {"teacher", fmt::format("{:.2f} M parameters", parameters(recipe_.teacher.model))},
        {"student", fmt::format("{:.2f} M parameters", parameters(recipe_.student.model))},
        {"seeds", std::to_string(recipe_.seeds)}};
    report.commands = {fmt::format("scion compare {} --out DIR --study.seeds {}",
                                   options_.recipe_file.string(), recipe_.seeds)};
    for (const StudentRun& run : runs_)
      if (run.seed == recipe_.first_seed)
        report.commands.push_back(
            fmt::format("scion train --config 'DIR/{0}/run.toml' --out 'DIR/{0}'",
                        fs::relative(run.directory, out_).string()));
  }

  bool report() {
    StudyReport report;
    report.title = recipe_.name;
    report.summary = recipe_.about;
    report.baseline = recipe_.baseline;
    report.arms = arm_descriptions();
    collect(report);
    write_results(out_ / "results.jsonl", report.rows);
    report.differences = differences(report.rows);
    report.seen_sentences = seen_sentences();
    report.checks = run_checks(recipe_, report.rows, report.teacher);
    add_tuning(report);
    add_facts(report);
    const fs::path page = write_report(report, out_);
    fmt::print("{}\n{}\n{}\n", report_text(report), (out_ / "results.jsonl").string(),
               page.string());
    return std::all_of(report.checks.begin(), report.checks.end(),
                       [](const SelfCheck& check) { return check.passed; });
  }

  const Recipe& recipe_;
  const CompareOptions& options_;
  fs::path out_;
  std::unique_ptr<DirectoryLock> lock_;
  std::string tokenizer_;
  Tuning tuning_;
  std::vector<std::string> evaluation_;
  std::map<std::string, std::string> speakers_;
  std::vector<StudentRun> runs_;
};

}  // namespace

bool compare(const Recipe& recipe, const CompareOptions& options) {
  return Experiment(recipe, options).run();
}

}  // namespace scion
