#include "scion/study/study.h"

#include <ctime>
#include <set>

#include "scion/core/error.h"
#include "scion/core/file.h"
#include "scion/core/log.h"
#include "scion/core/threads.h"
#include "scion/data/dataset.h"
#include "scion/data/train_tokenizer.h"
#include "scion/model/transducer.h"
#include "scion/study/checks.h"
#include "scion/study/collect.h"
#include "scion/study/conditions/condition.h"
#include "scion/study/report/write_report.h"
#include "scion/study/runs.h"
#include "scion/study/tuning.h"
#include "scion/training/run_record.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

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
    prepare_tokenizer();
    tune();
    prepare_sets();
    train_all();
    return report();
  }

 private:
  void prepare_tokenizer() {
    tokenizer_ = recipe_.teacher.data.tokenizer;
    if (!tokenizer_.empty()) return;
    const fs::path path = out_ / "tokenizer.model";
    tokenizer_ = path;
    if (fs::exists(path)) return;
    const RunConfig& teacher = recipe_.teacher;
    write_file(
        path,
        train_tokenizer(teacher.data.train, teacher.model.text, teacher.tokenizer).serialised());
  }

  RunPlace place(const fs::path& out, const std::vector<std::string>& train,
                 std::vector<std::string> evaluation) const {
    return {out, options_.program, tokenizer_, train, std::move(evaluation)};
  }

  // The recipe is recorded once it is known that no run that is there was begun by another one; new
  // arms, schedules and seeds join those.
  void start(const std::vector<Job>& jobs) {
    check_unchanged(jobs);
    write_file(out_ / "recipe.toml", read_file(options_.recipe_file));
  }

  // Features are computed here once, on all processors, so that the runs only read them.
  void make_features(const RunPlace& place, const std::vector<StudentRun>& runs) const {
    const Tokenizer tokenizer = Tokenizer::load(tokenizer_);
    std::set<std::pair<std::vector<std::string>, std::vector<double>>> made;
    const auto make = [&](const std::vector<std::string>& manifests,
                          const std::vector<double>& speeds) {
      if (made.emplace(manifests, speeds).second)
        const Dataset features({manifests.begin(), manifests.end()}, recipe_.teacher.model.features,
                               tokenizer, place.out / "cache", speeds, recipe_.teacher.model.text);
    };
    if (recipe_.trains_teachers()) {
      const RunConfig teacher = teacher_config(recipe_, place, recipe_.teachers.front());
      make(teacher.data.train, teacher.augment.speeds);
    }
    for (const StudentRun& run : runs) {
      const RunConfig student = student_config(recipe_, place, run);
      make(student.data.train, student.augment.speeds);
    }
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
    const std::vector<StudentRun> runs = tuning_runs(recipe_, tuning);
    std::vector<Job> jobs;
    if (recipe_.trains_teachers()) jobs.push_back(teacher_jobs(recipe_, tuning).front());
    for (const StudentRun& run : runs) {
      jobs.push_back(student_job(recipe_, tuning, run));
      jobs.back().name = fmt::format("tuning {} / {} / {:g}", run.arm, run.schedule, run.peak_lr);
    }
    start(jobs);
    make_features(tuning, runs);
    run_jobs(std::move(jobs), recipe_.jobs);
    for (const StudentRun& run : runs)
      tuning_.trials.push_back(
          {run.arm, run.schedule, run.peak_lr,
           read_json_lines(run.directory / "results.jsonl").back().at("wer").get<double>()});
    write_file(fresh, tuning_.to_json());
    log_info("tuned on dev: {}", fresh.string());
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

  RunPlace here() const { return place(out_, {}, evaluation_); }

  void train_all() {
    runs_ = student_runs(recipe_, here(), tuning_);
    std::vector<Job> jobs = teacher_jobs(recipe_, here());
    for (const StudentRun& run : runs_) jobs.push_back(student_job(recipe_, here(), run));
    start(jobs);
    make_features(here(), runs_);
    run_jobs(std::move(jobs), recipe_.jobs);
  }

  // The epoch at a share of the budget: the nearest that was evaluated, not before it.
  double epoch_at(const std::string& schedule, double share) const {
    const RecipeSchedule& budget = recipe_.schedule(schedule);
    const double asked = share * static_cast<double>(budget.epochs);
    for (const int64_t epoch : budget.evaluate_epochs)
      if (static_cast<double>(epoch) >= asked - 1e-9) return static_cast<double>(epoch);
    return static_cast<double>(budget.epochs);
  }

  // Every arm against its baseline: at the share of the budget that the study declares, at the end,
  // and at the end with averaged weights where both have them.
  std::vector<Comparison> comparisons() const {
    std::vector<Comparison> all;
    for (const RecipeSchedule& schedule : recipe_.schedules)
      for (const RecipeSet& set : recipe_.sets)
        for (const RecipeArm& arm : recipe_.arms) {
          const std::string& baseline = recipe_.baseline_of(arm);
          if (arm.name == baseline || !arm.runs_in(schedule.name)) continue;
          const auto add = [&](double share, const std::string& weights) {
            all.push_back({schedule.name, set.name, baseline, arm.name,
                           epoch_at(schedule.name, share), weights});
          };
          add(recipe_.primary_share, "raw");
          if (epoch_at(schedule.name, recipe_.primary_share) < epoch_at(schedule.name, 1))
            add(1, "raw");
          if (arm.run.train.average_last > 1 && recipe_.arm(baseline).run.train.average_last > 1)
            add(1, "averaged");
        }
    return all;
  }

  Differences differences(const std::vector<ResultRow>& rows) const {
    std::vector<Comparison> secondary = comparisons();
    const auto primary =
        std::find_if(secondary.begin(), secondary.end(), [&](const Comparison& comparison) {
          return comparison.second == recipe_.primary_arm &&
                 comparison.schedule == recipe_.primary_schedule &&
                 comparison.set == recipe_.primary_set &&
                 comparison.epoch == epoch_at(recipe_.primary_schedule, recipe_.primary_share);
        });
    const Comparison declared = *primary;
    secondary.erase(primary);
    Differences result = compare_arms(rows, declared, secondary);
    result.declared = compare_family(rows, recipe_.comparisons);
    return result;
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
    for (const RecipeArm& arm : recipe_.arms)
      arms.push_back({.name = arm.name,
                      .description = arm.description(recipe_.student),
                      .factor = arm.factor,
                      .baseline = arm.baseline});
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
    const int64_t vocabulary = Tokenizer::load(tokenizer_).size();
    const auto parameters = [&](const ModelConfig& model) {
      return static_cast<double>(parameter_count(model, vocabulary)) / 1e6;
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
    if (recipe_.teachers.size() > 1)
      report.facts.emplace_back(
          "teachers", fmt::format("{}, {}", recipe_.teachers.size(),
                                  recipe_.pairing == "paired" ? "one for every student seed"
                                                              : "each with every student seed"));
    report.commands = {fmt::format("scion compare {} --out DIR --study.seeds {}",
                                   options_.recipe_file.string(), recipe_.seeds)};
    for (const StudentRun& run : runs_)
      if (run.key.seed == recipe_.first_seed && run.key.teacher <= recipe_.teachers.front().number)
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
    collect_runs(recipe_, here(), runs_, speakers_, report);
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
