#include "scion/study/cost.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <numeric>

#include "scion/core/files/json_lines.h"
#include "scion/core/progress.h"
#include "scion/core/random.h"
#include "scion/core/threads.h"
#include "scion/data/manifest/manifest.h"
#include "scion/model/precision.h"
#include "scion/model/transducer.h"
#include "scion/nn/initialise.h"
#include "scion/study/report/figures/table.h"
#include "scion/study/runs.h"
#include "scion/study/study_tokenizer.h"
#include "scion/training/run/run_folder.h"
#include "scion/training/step.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

// Cost of a forward pass as a share of a training step on the same audio.
constexpr double forward_share = 1.0 / 3;

// Random features: utterances of three seconds with eight tokens per second.
Batch made_up_batch(const RunConfig& config) {
  constexpr int64_t frames = 300, tokens = 24;
  const int64_t count = std::max<int64_t>(1, static_cast<int64_t>(config.loader.batch_seconds / 3));
  Random random(1, RandomStream::split);
  Batch batch;
  batch.features = at::empty({count, frames, config.model.features.columns()});
  float* values = batch.features.data_ptr<float>();
  for (int64_t i = 0; i < batch.features.numel(); ++i)
    values[i] = static_cast<float>(random.normal());
  batch.feature_lengths = at::full({count}, frames, at::kLong);
  batch.tokens = at::ones({count, tokens}, at::kLong);
  batch.token_lengths = at::full({count}, tokens, at::kLong);
  for (int64_t i = 0; i < count; ++i) batch.ids.push_back(std::to_string(i));
  batch.audio_seconds = 3.0 * static_cast<double>(count);
  return batch;
}

// Pieces of the tokenizer that the runs will use; for characters, those of the training text.
int64_t vocabulary_of(const Recipe& recipe) {
  const RunConfig& config = recipe.teacher;
  if (!config.data.tokenizer.empty()) return Tokenizer::load(config.data.tokenizer).size();
  const bool own = recipe.teachers.empty() || recipe.teachers.front().file.empty();
  if (own && config.tokenizer.kind != PieceKind::character) return config.tokenizer.vocabulary;
  return make_study_tokenizer(recipe).size();
}

// Seconds of audio that one run trains on per second, by the processor time of some steps.
double measured_speed(const RunConfig& config, int64_t vocabulary, int64_t wanted_threads) {
  constexpr int64_t fewest_steps = 2;
  constexpr double fewest_seconds = 0.5;
  const int threads_before = thread_count();
  use_threads(wanted_threads);
  const int threads = thread_count();
  Transducer model(config.model, vocabulary);
  initialise(model.registry(), "xavier", 1);
  const Batch batch = made_up_batch(config);
  const bool bf16 = use_bf16(config.train.precision, "cpu", model.registry().parameter_count());
  accumulate_gradients(model, batch, config.train, ForwardContext::for_training(1, 0, bf16));
  const std::clock_t start = std::clock();  // of all threads
  double audio = 0, seconds = 0;
  for (int64_t step = 1; step <= fewest_steps || seconds < fewest_seconds; ++step) {
    accumulate_gradients(model, batch, config.train, ForwardContext::for_training(1, step, bf16));
    audio += batch.audio_seconds;
    seconds =
        static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / static_cast<double>(threads);
  }
  set_thread_count(threads_before);
  return audio / seconds;
}

class Estimate {
 public:
  explicit Estimate(const Recipe& recipe) : recipe_(recipe) {
    cost_.jobs = recipe.jobs;
    cost_.threads = recipe.threads;
  }

  void add_tuning(const SharedSettings& shared) {
    if (recipe_.trains_teachers()) add_teacher("tuning: teacher", shared, recipe_.teachers.front());
    for (const StudentRun& run : tuning_runs(recipe_, shared.out))
      add_student("tuning: ", shared, run);
    ++phase_;
  }

  void add_study(const SharedSettings& shared, const Tuning& tuning) {
    if (recipe_.trains_teachers())
      for (const RecipeTeacher& teacher : recipe_.teachers) add_teacher("teacher", shared, teacher);
    for (const StudentRun& run : student_runs(recipe_, shared.out, tuning))
      add_student("", shared, run);
  }

  StudyCost finish() {
    for (size_t i = 0; i < cost_.rows.size(); ++i) {
      CostRow& row = cost_.rows[i];
      const Measured& measured = measured_[i];
      row.from_runs = measured.seconds > 0;
      row.speed = row.from_runs ? measured.audio / measured.seconds
                                : speed_of(measured.config, measured.config.train.threads);
      row.seconds = (row.audio_seconds + forward_share * measured.evaluated) / row.speed;
      if (measured.distilled && !row.from_runs)
        row.seconds +=
            forward_share * row.audio_seconds / speed_of(recipe_.teacher, recipe_.threads);
    }
    for (PlannedRun& run : cost_.planned) run.seconds *= cost_.rows[run.row].seconds;
    return cost_;
  }

 private:
  // The basis of a row's speed.
  struct Measured {
    RunConfig config;
    bool distilled = false;
    double evaluated = 0;           // seconds of audio, all evaluations of a run
    double audio = 0, seconds = 0;  // training already done, of all runs of the row
  };

  void add_teacher(const std::string& name, const SharedSettings& shared,
                   const RecipeTeacher& teacher) {
    teachers_[{phase_, teacher.number}] = cost_.planned.size();
    add(name, teacher_folder(shared.out, teacher), teacher_config(recipe_, shared, teacher), false);
    cost_.planned.back().places = recipe_.teacher_places();
  }

  void add_student(const std::string& prefix, const SharedSettings& shared, const StudentRun& run) {
    add(fmt::format("{}{} / {}", prefix, run.arm, run.budget), run.directory,
        student_config(recipe_, shared, run), recipe_.arm(run.arm).distill);
    const auto teacher = teachers_.find({phase_, run.key.teacher});
    if (teacher != teachers_.end()) cost_.planned.back().after = teacher->second;
  }

  double audio_of(const std::string& manifest) {
    const auto [entry, is_new] = audio_.emplace(manifest, 0);
    if (is_new)
      for (const Utterance& utterance : read_manifest(manifest)) entry->second += utterance.seconds;
    return entry->second;
  }

  double epoch_audio(const RunConfig& config) {
    double seconds = 0, slower = 0;
    for (const std::string& manifest : config.data.train) seconds += audio_of(manifest);
    for (const double speed : config.augment.speeds)
      slower += 1 / speed / static_cast<double>(config.augment.speeds.size());
    return seconds * (slower > 0 ? slower : 1);
  }

  double evaluation_audio(const RunConfig& config) {
    double seconds = 0;
    for (const NamedManifest& set : config.data.evaluation) seconds += audio_of(set.path);
    const std::vector<int64_t>& asked = config.train.evaluate_epochs;
    const int64_t last = config.train.epochs;
    double count = config.train.average_last > 1 ? 2 : 1;  // of the last epoch
    if (asked.empty())
      count += static_cast<double>(last - 1);
    else
      count += static_cast<double>(
          std::count_if(asked.begin(), asked.end(), [&](int64_t epoch) { return epoch < last; }));
    return seconds * count;
  }

  void add(const std::string& name, const fs::path& folder, const RunConfig& config,
           bool distilled) {
    const auto [entry, is_new] = row_of_.emplace(name, cost_.rows.size());
    const double audio = epoch_audio(config) * static_cast<double>(config.train.epochs);
    if (is_new) {
      cost_.rows.push_back({.name = name, .audio_seconds = audio});
      measured_.push_back({config, distilled, evaluation_audio(config), 0, 0});
    }
    CostRow& row = cost_.rows[entry->second];
    Measured& measured = measured_[entry->second];
    const RunFiles files(folder);
    const bool finished = files.is_finished();
    const double done = finished ? 1 : share_done(folder, config);
    ++row.runs;
    row.there += finished;
    row.left += 1 - done;
    cost_.planned.push_back({entry->second, phase_, 1 - done, {}});
    if (done == 0) return;
    const nlohmann::json last = last_json_line(files.updates());
    if (last.is_null()) return;
    measured.audio += audio * done;
    measured.seconds += last.value("seconds", 0.0);
  }

  int64_t vocabulary() {
    if (vocabulary_ == 0) vocabulary_ = vocabulary_of(recipe_);
    return vocabulary_;
  }

  double speed_of(const RunConfig& config, int64_t threads) {
    const auto [entry, is_new] =
        speeds_.emplace(options_json(config.model).dump() +
                            fmt::format("{} {}", config.loader.batch_seconds, threads),
                        0);
    if (is_new) entry->second = measured_speed(config, vocabulary(), threads);
    return entry->second;
  }

  const Recipe& recipe_;
  int64_t vocabulary_ = 0;  // 0: not known yet
  StudyCost cost_;
  std::vector<Measured> measured_;
  int64_t phase_ = 0;
  std::map<std::string, size_t> row_of_;                    // by name
  std::map<std::pair<int64_t, int64_t>, size_t> teachers_;  // (phase, number) → planned run
  std::map<std::string, double> audio_, speeds_;
};

}  // namespace

int64_t StudyCost::runs() const {
  return std::accumulate(rows.begin(), rows.end(), int64_t{0},
                         [](int64_t sum, const CostRow& row) { return sum + row.runs; });
}

int64_t StudyCost::finished_runs() const {
  return std::accumulate(rows.begin(), rows.end(), int64_t{0},
                         [](int64_t sum, const CostRow& row) { return sum + row.there; });
}

double StudyCost::seconds_left() const {
  return std::accumulate(rows.begin(), rows.end(), 0.0, [](double sum, const CostRow& row) {
    return sum + row.left * row.seconds;
  });
}

double StudyCost::audio_seconds_left() const {
  return std::accumulate(rows.begin(), rows.end(), 0.0, [](double sum, const CostRow& row) {
    return sum + row.left * row.audio_seconds;
  });
}

StudyCost estimate_cost(const Recipe& recipe, const fs::path& out, bool tune) {
  Estimate estimate(recipe);
  Tuning tuning;
  const bool has_grid = !recipe.grid.empty();
  if (has_grid && !tune && fs::exists(recipe.tuning_file)) {
    tuning = read_tuning(recipe.tuning_file);
  } else if (has_grid) {
    estimate.add_tuning({.out = out / "tuning",
                         .train = recipe.tuning_train,
                         .evaluation = {{"dev", recipe.tuning_set}}});
  }
  SharedSettings shared{.out = out};
  for (const RecipeSet& set : recipe.sets) shared.evaluation.push_back({set.name, set.manifest});
  estimate.add_study(shared, tuning);
  return estimate.finish();
}

// Replays run_jobs: the run that can start first does, the first in the list of several. (A run
// that waits for several places holds up those after it there, and not here.) The runs of a phase
// start when the phase before has ended.
double StudyCost::elapsed_seconds_left() const {
  std::vector<double> places(static_cast<size_t>(jobs), 0.0), end(planned.size(), 0.0);
  std::vector<bool> started(planned.size(), false);
  double phase_start = 0;
  for (int64_t phase = 0; phase <= (planned.empty() ? -1 : planned.back().phase); ++phase) {
    while (true) {
      std::sort(places.begin(), places.end());
      std::optional<size_t> next;
      double earliest = HUGE_VAL;
      for (size_t i = 0; i < planned.size(); ++i) {
        const std::optional<size_t>& after = planned[i].after;
        if (started[i] || planned[i].phase != phase || (after && !started[*after])) continue;
        const double free = places[static_cast<size_t>(planned[i].places - 1)];
        const double ready = std::max({free, phase_start, after ? end[*after] : 0});
        if (ready >= earliest) continue;
        next = i;
        earliest = ready;
      }
      if (!next) break;
      started[*next] = true;
      end[*next] = earliest + planned[*next].seconds;
      std::fill_n(places.begin(), planned[*next].places, end[*next]);
    }
    phase_start = *std::max_element(places.begin(), places.end());
  }
  return phase_start;
}

std::string cost_text(const StudyCost& cost) {
  Table table{
      "", {"run", "runs", "finished", "audio, h", "× real time", "min each", "min left"}, {}};
  for (const CostRow& row : cost.rows) {
    const double minutes = row.seconds / 60;
    table.rows.push_back({{row.name},
                          {std::to_string(row.runs)},
                          {std::to_string(row.there)},
                          {fmt::format("{:.1f}", row.audio_seconds / 3600)},
                          {fmt::format("{}{:.0f}", row.from_runs ? "" : "≈ ", row.speed)},
                          {fmt::format("{:.1f}", minutes)},
                          {fmt::format("{:.1f}", minutes * row.left)}});
  }
  return table_text(table) +
         fmt::format(
             "\n{} runs, {} of them finished; left: {:.1f} h of audio, {} of work, about {} with "
             "{} runs at a time × {} threads\n≈: measured now on random features; the other speeds "
             "are those of the runs so far\n",
             cost.runs(), cost.finished_runs(), cost.audio_seconds_left() / 3600,
             format_duration(cost.seconds_left()), format_duration(cost.elapsed_seconds_left()),
             cost.jobs, cost.threads);
}

}  // namespace scion
