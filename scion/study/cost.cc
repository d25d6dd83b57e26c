#include "scion/study/cost.h"

#include <ctime>
#include <map>
#include <numeric>

#include "scion/core/files/json_lines.h"
#include "scion/core/progress.h"
#include "scion/core/random.h"
#include "scion/core/threads.h"
#include "scion/data/manifest.h"
#include "scion/model/precision.h"
#include "scion/model/transducer.h"
#include "scion/nn/initialise.h"
#include "scion/study/report/table.h"
#include "scion/training/run_folder.h"
#include "scion/training/step.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

// Of the work of training on the same audio: forward without backward.
constexpr double forward_share = 1.0 / 3;

// Utterances of three seconds with eight tokens a second.
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

// Seconds of audio in a second of a processor that does nothing else, over some seconds of work.
double measured_speed(const RunConfig& config, int64_t threads) {
  constexpr int64_t vocabulary = 64;
  Transducer model(config.model, vocabulary);
  initialise(model.registry(), "xavier", 1);
  const Batch batch = made_up_batch(config);
  const bool bf16 = use_bf16(config.train.precision, "cpu", model.registry().parameter_count());
  accumulate_gradients(model, batch, config.train, ForwardContext::for_training(1, 0, bf16));
  const std::clock_t start = std::clock();  // of all threads
  double audio = 0, seconds = 0;
  for (int64_t step = 1; seconds < 2; ++step) {
    accumulate_gradients(model, batch, config.train, ForwardContext::for_training(1, step, bf16));
    audio += batch.audio_seconds;
    seconds =
        static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / static_cast<double>(threads);
  }
  return audio / seconds;
}

class Estimate {
 public:
  explicit Estimate(const Recipe& recipe) : recipe_(recipe) {
    cost_.jobs = recipe.jobs;
    cost_.threads = recipe.threads;
    set_thread_count(static_cast<int>(recipe.threads));
  }

  void add_tuning(const RunPlace& place) {
    if (recipe_.trains_teachers())
      add("tuning: teacher", teacher_folder(place, recipe_.teachers.front()),
          teacher_config(recipe_, place, recipe_.teachers.front()), false);
    for (const StudentRun& run : tuning_runs(recipe_, place))
      add(fmt::format("tuning: {} / {}", run.arm, run.schedule), run.directory,
          student_config(recipe_, place, run), recipe_.arm(run.arm).distill);
  }

  void add_study(const RunPlace& place, const Tuning& tuning) {
    if (recipe_.trains_teachers())
      for (const RecipeTeacher& teacher : recipe_.teachers)
        add("teacher", teacher_folder(place, teacher), teacher_config(recipe_, place, teacher),
            false);
    for (const StudentRun& run : student_runs(recipe_, place, tuning))
      add(fmt::format("{} / {}", run.arm, run.schedule), run.directory,
          student_config(recipe_, place, run), recipe_.arm(run.arm).distill);
  }

  StudyCost finish() {
    for (size_t i = 0; i < cost_.rows.size(); ++i) {
      CostRow& row = cost_.rows[i];
      const Measured& measured = measured_[i];
      row.from_runs = measured.seconds > 0;
      row.speed = row.from_runs ? measured.audio / measured.seconds : speed_of(measured.config);
      row.seconds = (row.audio_seconds + forward_share * measured.evaluated) / row.speed;
      if (measured.distilled && !row.from_runs)
        row.seconds += forward_share * row.audio_seconds / speed_of(recipe_.teacher);
    }
    return cost_;
  }

 private:
  // What a row's speed follows from.
  struct Measured {
    RunConfig config;
    bool distilled = false;
    double evaluated = 0;           // seconds of audio, all evaluations of a run
    double audio = 0, seconds = 0;  // of training that was done
  };

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
    const auto [entry, is_new] = places_.emplace(name, cost_.rows.size());
    const double audio = epoch_audio(config) * static_cast<double>(config.train.epochs);
    if (is_new) {
      cost_.rows.push_back({name, 0, 0, audio, 0, false, 0});
      measured_.push_back({config, distilled, evaluation_audio(config), 0, 0});
    }
    CostRow& row = cost_.rows[entry->second];
    Measured& measured = measured_[entry->second];
    ++row.runs;
    const RunFiles files(folder);
    if (!files.is_finished()) return;
    ++row.there;
    const nlohmann::json last = last_json_line(files.updates());
    if (last.is_null()) return;
    measured.audio += audio;
    measured.seconds += last.value("seconds", 0.0);
  }

  double speed_of(const RunConfig& config) {
    const auto [entry, is_new] = speeds_.emplace(
        options_json(config.model).dump() + fmt::format("{}", config.loader.batch_seconds), 0);
    if (is_new) entry->second = measured_speed(config, recipe_.threads);
    return entry->second;
  }

  const Recipe& recipe_;
  StudyCost cost_;
  std::vector<Measured> measured_;
  std::map<std::string, size_t> places_;
  std::map<std::string, double> audio_, speeds_;
};

}  // namespace

double StudyCost::seconds_left() const {
  return std::accumulate(rows.begin(), rows.end(), 0.0, [](double sum, const CostRow& row) {
    return sum + static_cast<double>(row.runs - row.there) * row.seconds;
  });
}

double StudyCost::audio_seconds_left() const {
  return std::accumulate(rows.begin(), rows.end(), 0.0, [](double sum, const CostRow& row) {
    return sum + static_cast<double>(row.runs - row.there) * row.audio_seconds;
  });
}

StudyCost estimate_cost(const Recipe& recipe, const RunPlace& place, bool tune) {
  Estimate estimate(recipe);
  Tuning tuning;
  const bool has_grid = !recipe.grid.empty();
  if (has_grid && !tune && fs::exists(recipe.tuning_file)) {
    tuning = read_tuning(recipe.tuning_file);
  } else if (has_grid) {
    RunPlace below = place;
    below.out = place.out / "tuning";
    below.train = recipe.tuning_train;
    below.evaluation = {{"dev", recipe.tuning_set}};
    estimate.add_tuning(below);
  }
  RunPlace here = place;
  for (const RecipeSet& set : recipe.sets) here.evaluation.push_back({set.name, set.manifest});
  estimate.add_study(here, tuning);
  return estimate.finish();
}

std::string cost_text(const StudyCost& cost) {
  Table table{"", {"run", "runs", "there", "audio, h", "× real time", "min each", "min left"}, {}};
  int64_t runs = 0, there = 0;
  for (const CostRow& row : cost.rows) {
    const double minutes = row.seconds / 60;
    table.rows.push_back(
        {{row.name},
         {std::to_string(row.runs)},
         {std::to_string(row.there)},
         {fmt::format("{:.1f}", row.audio_seconds / 3600)},
         {fmt::format("{}{:.0f}", row.from_runs ? "" : "≈ ", row.speed)},
         {fmt::format("{:.1f}", minutes)},
         {fmt::format("{:.1f}", minutes * static_cast<double>(row.runs - row.there))}});
    runs += row.runs;
    there += row.there;
  }
  const double seconds = cost.seconds_left();
  return table_text(table) +
         fmt::format(
             "\n{} runs, {} of them there; left: {:.1f} h of audio, {} of work, about {} with {} "
             "runs at a time × {} threads\n≈: measured now on made-up features; otherwise by the "
             "runs that are there\n",
             runs, there, cost.audio_seconds_left() / 3600, format_duration(seconds),
             format_duration(seconds / static_cast<double>(cost.jobs)), cost.jobs, cost.threads);
}

}  // namespace scion
