#include "scion/study/study.h"

#include <ctime>
#include <set>

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/log.h"
#include "scion/core/threads.h"
#include "scion/data/dataset.h"
#include "scion/data/length_report.h"
#include "scion/model/model_file.h"
#include "scion/model/transducer.h"
#include "scion/study/checks.h"
#include "scion/study/collect.h"
#include "scion/study/comparisons.h"
#include "scion/study/conditions/condition.h"
#include "scion/study/given_teachers.h"
#include "scion/study/report/write_report.h"
#include "scion/study/runs.h"
#include "scion/study/study_tokenizer.h"
#include "scion/study/tuning.h"
#include "scion/training/run/run_folder.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

std::string today() {
  char text[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  return text;
}

std::string millions_text(int64_t parameters) {
  return fmt::format("{:.2f} M parameters", static_cast<double>(parameters) / 1e6);
}

class Study {
 public:
  Study(const Recipe& recipe, const StudyOptions& options)
      : recipe_(recipe), options_(options), out_(fs::absolute(options.out)) {
    fs::create_directories(out_);
    lock_ = std::make_unique<DirectoryLock>(out_);
  }

  StudyReport run() {
    prepare_tokenizer();
    tune();
    prepare_sets();
    train_all();
    return report();
  }

 private:
  void prepare_tokenizer() {
    tokenizer_ = recipe_.teacher.data.tokenizer;
    if (tokenizer_.empty()) {
      tokenizer_ = out_ / "tokenizer.model";
      if (!fs::exists(tokenizer_))
        write_file(tokenizer_, make_study_tokenizer(recipe_).serialised());
    }
    require_pieces_of_teachers(recipe_, tokenizer_);
    given_teachers_ = checksums_of_given_teachers(recipe_);
  }

  // The recipe is recorded once no existing run contradicts it; new arms, budgets and seeds may be
  // added.
  void start(const std::vector<Job>& jobs) {
    check_unchanged(jobs);
    write_file(out_ / "recipe.toml", read_file(options_.recipe_file));
  }

  // Features are computed once, here, on all processors; the runs only read them.
  void make_features(const SharedSettings& shared, const std::vector<StudentRun>& runs) const {
    const Tokenizer tokenizer = Tokenizer::load(tokenizer_);
    std::set<std::pair<std::vector<std::string>, std::vector<double>>> made;
    const auto make = [&](const std::vector<std::string>& manifests,
                          const std::vector<double>& speeds, const LoaderConfig* loader) {
      const bool trains = loader != nullptr;
      if (!made.emplace(manifests, speeds).second) return;
      try {
        const Dataset features({manifests.begin(), manifests.end()}, recipe_.teacher.model.features,
                               tokenizer, shared.out / "cache", speeds, recipe_.teacher.model.text,
                               DataCheck::decode,
                               trains ? DataPurpose::training : DataPurpose::evaluation,
                               recipe_.student.data.skip_share);
        if (trains) LengthReport(features, *loader).log();
      } catch (const TooManySkipped& refusal) {
        throw naming_skipped(refusal, out_ / "skipped.jsonl", refusal.skipped());
      }
    };
    if (recipe_.trains_teachers()) {
      const RunConfig teacher = teacher_config(recipe_, shared, recipe_.teachers.front());
      make(teacher.data.train, teacher.augment.speeds, &teacher.loader);
    }
    for (const StudentRun& run : runs) {
      const RunConfig student = student_config(recipe_, shared, run);
      make(student.data.train, student.augment.speeds, &student.loader);
    }
    for (const NamedManifest& set : shared.evaluation) make({set.path}, {1.0}, nullptr);
  }

  // Reads the frozen outcome, or tunes: every arm and budget on the same grid, trained without dev,
  // evaluated on dev.
  void tune() {
    if (recipe_.grid.empty()) return;
    const fs::path fresh = out_ / "tuning.json";
    if (!options_.tune && fs::exists(recipe_.tuning_file)) {
      tuning_ = read_tuning(recipe_.tuning_file);
      return;
    }
    const SharedSettings tuning = {out_ / "tuning",
                                   tokenizer_,
                                   recipe_.tuning_train,
                                   {{"dev", recipe_.tuning_set}},
                                   given_teachers_};
    const std::vector<StudentRun> runs = tuning_runs(recipe_, tuning.out);
    std::vector<Job> jobs;
    if (recipe_.trains_teachers())
      jobs.push_back(teacher_jobs(recipe_, tuning, options_.program).front());
    for (const StudentRun& run : runs) {
      jobs.push_back(student_job(recipe_, tuning, options_.program, run));
      jobs.back().name = fmt::format("tuning {} / {} / {:g}", run.arm, run.budget, run.peak_lr);
    }
    start(jobs);
    make_features(tuning, runs);
    run_jobs(std::move(jobs), recipe_.jobs);
    for (const StudentRun& run : runs) {
      const nlohmann::json last = last_json_line(RunFiles(run.directory).results());
      const double wer = last.at("wer").is_null() ? HUGE_VAL : last.at("wer").get<double>();
      tuning_.trials.push_back({run.arm, run.budget, run.peak_lr, wer});
    }
    write_file(fresh, tuning_.to_json());
    log_info("tuned on dev: {}", fresh.string());
  }

  void prepare_sets() {
    for (const RecipeSet& set : recipe_.sets) {
      fs::path manifest = set.manifest;
      if (set.corrupted)
        manifest = make_condition(manifest, set.babble, set.corruption, out_ / "sets" / set.name);
      evaluation_.push_back({set.name, manifest.string()});
      for (const Utterance& utterance : read_manifest(manifest))
        speakers_[utterance.id] = utterance.speaker;
    }
  }

  void train_all() {
    const SharedSettings shared = {out_, tokenizer_, {}, evaluation_, given_teachers_};
    runs_ = student_runs(recipe_, out_, tuning_);
    std::vector<Job> jobs = teacher_jobs(recipe_, shared, options_.program);
    for (const StudentRun& run : runs_)
      jobs.push_back(student_job(recipe_, shared, options_.program, run));
    start(jobs);
    make_features(shared, runs_);
    run_jobs(std::move(jobs), recipe_.jobs);
    evaluate_given_teachers(recipe_, shared);
  }

  std::map<std::string, std::set<std::string>> seen_sentences() const {
    std::set<std::string> training;
    for (const std::string& manifest : recipe_.teacher.data.train)
      for (const Utterance& utterance : read_manifest(manifest)) training.insert(utterance.text);
    std::map<std::string, std::set<std::string>> seen;
    for (const NamedManifest& set : evaluation_)
      for (const Utterance& utterance : read_manifest(set.path))
        if (training.contains(utterance.text)) seen[set.name].insert(utterance.id);
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
      report.tuning.push_back({trial.budget, trial.arm, fmt::format("{:g}", trial.peak_lr),
                               trial.dev_wer,
                               tuning_.best(trial.arm, trial.budget) == trial.peak_lr});
  }

  // Trained teachers are alike; each one that is a file has its own size.
  void add_teacher_facts(StudyReport& report, int64_t vocabulary) const {
    if (recipe_.teachers.front().file.empty()) {
      report.facts.emplace_back("teacher",
                                millions_text(parameter_count(recipe_.teacher.model, vocabulary)));
      return;
    }
    for (const RecipeTeacher& teacher : recipe_.teachers)
      report.facts.emplace_back(
          fmt::format("teacher {}", teacher.number),
          fmt::format("{}, {}", fs::path(teacher.file).filename().string(),
                      millions_text(load_model(teacher.file).model->registry().parameter_count())));
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
    report.facts = {
        {"recipe", options_.recipe_file.filename().string()},
        {"date", today()},
        {"program", std::string("scion ") + SCION_VERSION},
        {"processor", processor().name},
        {"runs at a time × threads", fmt::format("{} × {}", recipe_.jobs, recipe_.threads)},
        {"training data", fmt::format("{} utterances, {:.2f} h", utterances, hours)},
        {"student", millions_text(parameter_count(recipe_.student.model, vocabulary))},
        {"seeds", std::to_string(recipe_.seeds)}};
    add_teacher_facts(report, vocabulary);
    if (recipe_.teachers.size() > 1)
      report.facts.emplace_back(
          "teachers", fmt::format("{}, {}", recipe_.teachers.size(),
                                  recipe_.pairing == "paired" ? "one per student seed"
                                                              : "each with every student seed"));
    report.commands = {fmt::format("scion compare {} --out DIR --study.seeds {}",
                                   options_.recipe_file.string(), recipe_.seeds)};
    for (const StudentRun& run : runs_)
      if (run.key.seed == recipe_.first_seed && run.key.teacher <= recipe_.teachers.front().number)
        report.commands.push_back(
            fmt::format("scion train --config 'DIR/{0}/run.toml' --out 'DIR/{0}'",
                        fs::relative(run.directory, out_).string()));
  }

  StudyReport report() const {
    StudyReport report;
    report.title = recipe_.name;
    report.summary = recipe_.about;
    report.baseline = recipe_.baseline;
    report.arms = arm_descriptions();
    collect_runs(recipe_, out_, runs_, speakers_, report);
    write_results(out_ / "results.jsonl", report.rows);
    report.differences = compare_study(recipe_, report.rows);
    report.seen_sentences = seen_sentences();
    report.checks = run_checks(recipe_, report.rows, report.teacher);
    add_tuning(report);
    add_facts(report);
    write_report(report, out_);
    return report;
  }

  const Recipe& recipe_;
  const StudyOptions& options_;
  fs::path out_;
  std::unique_ptr<DirectoryLock> lock_;
  std::string tokenizer_;
  std::map<int64_t, std::string> given_teachers_;
  Tuning tuning_;
  std::vector<NamedManifest> evaluation_;
  std::map<std::string, std::string> speakers_;
  std::vector<StudentRun> runs_;
};

}  // namespace

StudyReport run_study(const Recipe& recipe, const StudyOptions& options) {
  return Study(recipe, options).run();
}

}  // namespace scion
