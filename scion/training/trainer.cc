#include "scion/training/trainer.h"

#include <chrono>
#include <deque>

#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/core/event_file.h"
#include "scion/core/file.h"
#include "scion/core/log.h"
#include "scion/core/progress.h"
#include "scion/core/threads.h"
#include "scion/data/dataset.h"
#include "scion/data/skipped_log.h"
#include "scion/data/train_tokenizer.h"
#include "scion/model/model_file.h"
#include "scion/model/precision.h"
#include "scion/nn/initialise.h"
#include "scion/recognition/evaluation.h"
#include "scion/selection/select.h"
#include "scion/training/checkpoint.h"
#include "scion/training/loss_along_line.h"
#include "scion/training/optimisers/optimiser.h"
#include "scion/training/path_measures.h"
#include "scion/training/schedule.h"
#include "scion/training/step.h"
#include "scion/training/teacher.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool is_random_scheme(const std::string& init) {
  return init == "xavier" || init == "he" || init == "default";
}

Tokenizer find_tokenizer(const RunConfig& config, const ModelFile& start) {
  if (!config.data.tokenizer.empty()) return Tokenizer::load(config.data.tokenizer);
  if (start.model) return Tokenizer(start.tokenizer);
  return train_tokenizer(config.data.train, config.model.text, config.tokenizer);
}

// Where measured runs keep their start.
constexpr const char* first_weights = "first.safetensors";

struct EvaluationSet {
  std::string name;
  std::unique_ptr<Dataset> data;
};

class Run {
 public:
  Run(const RunConfig& config, fs::path directory)
      : config_(config),
        directory_(std::move(directory)),
        start_(is_random_scheme(config.train.init) ? ModelFile{} : load_model(config.train.init)),
        tokenizer_(find_tokenizer(config, start_)),
        data_(manifests(config.data.train), config.model.features, tokenizer_, config.data.cache,
              config.augment.speeds, config.model.text,
              config.data.check == "trust" ? DataCheck::trust : DataCheck::decode),
        seed_(static_cast<uint64_t>(config.train.seed)) {
    const at::Device device = find_device(config.train.device);
    // The same bytes again, where the library leaves the choice.
    if (device.is_cuda()) at::globalContext().setDeterministicCuDNN(true);
    record_configuration();
    if (config.data.check == "decode") write_skipped(directory_ / "skipped.jsonl", data_.skipped());
    skipped_ = std::make_unique<SkippedLog>(directory_ / "skipped.jsonl",
                                            fmt::format("{}", fmt::join(config.data.train, ", ")),
                                            data_.size());
    open_evaluation_sets();
    make_model();
    bf16_ =
        use_bf16(config.train.precision, config.train.device, model_->registry().parameter_count());
    model_->to(device);
    if (!config.train.distill.empty()) open_teacher();
    optimiser_ = std::make_unique<AdamW>(model_->registry(), config.train, copied_);
    measures_ = std::make_unique<PathMeasures>(model_->registry(), config.train.measure_every);
  }

  void work() {
    resume();
    while (position_.epoch < config_.train.epochs) train_epoch();
    finish();
  }

 private:
  static std::vector<fs::path> manifests(const std::vector<std::string>& names) {
    return {names.begin(), names.end()};
  }

  void record_configuration() {
    const fs::path path = directory_ / "config.toml";
    // A run that failed before its first update left nothing to go on with.
    if (!fs::exists(path) || !fs::exists(directory_ / "updates.jsonl"))
      return write_file(path, config_.to_toml());
    if (!is_configuration(path, config_))
      throw UserError(fmt::format("{} holds a run with another configuration", directory_.string()),
                      "choose another --out, or remove the folder to start afresh");
  }

  void open_evaluation_sets() {
    for (const std::string& entry : config_.data.evaluation) {
      const size_t equals = entry.find('=');
      sets_.push_back(
          {entry.substr(0, equals),
           std::make_unique<Dataset>(std::vector<fs::path>{entry.substr(equals + 1)},
                                     config_.model.features, tokenizer_, config_.data.cache,
                                     std::vector<double>{1.0}, config_.model.text)});
    }
  }

  void make_model() {
    if (start_.model) {
      const nlohmann::json given = options_json(start_.model->config());
      if (given != options_json(config_.model))
        throw UserError(
            fmt::format("{} is a model of another configuration: {}", config_.train.init,
                        nlohmann::json::diff(given, options_json(config_.model)).dump()),
            "set [model] to what 'scion inspect' prints for the file");
      model_ = std::move(start_.model);
      copied_ = copied_parameters(model_->registry(), start_.provenance);
      return;
    }
    model_ = std::make_unique<Transducer>(config_.model, tokenizer_.size());
    initialise(model_->registry(), config_.train.init, seed_);
    const auto [mean, deviation] = data_.global_statistics();
    model_->set_normalisation(mean, deviation);
  }

  void open_teacher() {
    teacher_ = std::make_unique<Teacher>(config_.train, *model_, tokenizer_);
    log_info("learns from {} ({:.2f} M parameters; the student has {:.2f} M)",
             config_.train.distill, millions(teacher_->model()), millions(*model_));
  }

  static double millions(const Transducer& model) {
    return static_cast<double>(model.registry().parameter_count()) / 1e6;
  }

  int64_t updates_per_epoch(int64_t batches) const {
    return std::max<int64_t>(1, batches / config_.train.accumulate);
  }

  int64_t planned_updates() { return planned_updates_per_epoch() * config_.train.epochs; }

  // The first epoch's count stands for all: later ones differ by a batch or two.
  int64_t planned_updates_per_epoch() {
    if (planned_ == 0) planned_ = updates_per_epoch(batches_of(0));
    return planned_;
  }

  int64_t batches_of(int64_t epoch) const {
    return static_cast<int64_t>(epoch_batches(data_, config_.loader, seed_, epoch).size());
  }

  void resume() {
    if (const auto checkpoint = load_newest_checkpoint(directory_ / "checkpoints")) {
      load_weights(checkpoint->model, *model_, "checkpoint");
      optimiser_->load(checkpoint->state);
      measures_->load(checkpoint->state);
      if (measuring()) measures_->load_start(read_safetensors(directory_ / first_weights));
      position_ = checkpoint->position;
      log_info("continues after update {}, epoch {}", position_.update, position_.epoch + 1);
    }
    if (measuring() && position_.update == 0) {
      SafeTensors first;
      measures_->save_start(first);
      write_safetensors(directory_ / first_weights, first);
    }
    keep_lines("updates.jsonl", [&](const nlohmann::json& line) {
      return line.at("update").get<int64_t>() <= position_.update;
    });
    keep_lines("results.jsonl", [&](const nlohmann::json& line) {
      return line.at("update").get<int64_t>() <= position_.update;
    });
    keep_lines("measures.jsonl", [&](const nlohmann::json& line) {
      return line.at("update").get<int64_t>() <= position_.update;
    });
    if (measuring()) measured_ = std::make_unique<LineLog>(directory_ / "measures.jsonl");
    updates_ = std::make_unique<LineLog>(directory_ / "updates.jsonl");
    results_ = std::make_unique<LineLog>(directory_ / "results.jsonl");
    events_ = std::make_unique<EventFile>(directory_, position_.update);
    if (position_.update == 0)
      events_->add_text(0, "configuration", "```toml\n" + config_.to_toml() + "```");
    start_time_ = Clock::now();
    first_epochs_ =
        static_cast<double>(position_.epoch) +
        static_cast<double>(position_.batch) / static_cast<double>(batches_of(position_.epoch));
    loader_ = std::make_unique<BatchLoader>(data_, config_.loader, config_.augment,
                                            model_->feature_mean().cpu(), seed_, position_.epoch,
                                            position_.batch);
  }

  // Drops what an interrupted run wrote after its last checkpoint: it will be written again.
  template <class Predicate>
  void keep_lines(const std::string& name, Predicate keep) {
    const fs::path path = directory_ / name;
    if (!fs::exists(path)) return;
    std::string kept;
    std::istringstream lines(read_file(path));
    for (std::string line; std::getline(lines, line);) {
      const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
      if (!json.is_discarded() && keep(json)) kept += line + "\n";
    }
    write_file(path, kept);
  }

  void train_epoch() {
    const int64_t epoch = position_.epoch;
    Progress progress(fmt::format("epoch {}/{}", epoch + 1, config_.train.epochs),
                      batches_of(epoch), "batches");
    double audio_seconds = 0;
    const auto start = Clock::now();
    teacher_seconds_ = 0;
    while (position_.epoch == epoch) {
      const BatchLoader::Item item = loader_->next();
      train_batch(item);
      audio_seconds += item.batch.audio_seconds;
      const bool last = position_.epoch != epoch;
      progress.update(item.index + 1,
                      fmt::format("loss {:.3f},{} {:.0f} x real time, run {} left", epoch_loss(),
                                  rates_.empty() ? "" : rates_ + ",",
                                  audio_seconds / seconds_since(start), time_left(item)));
      if (last)
        end_epoch(item.epoch_size, audio_seconds, seconds_since(start));
      else if (checkpoint_due())
        checkpoint();
    }
  }

  // Of the whole run, by the epochs since it started or went on.
  std::string time_left(const BatchLoader::Item& item) const {
    const double done = epochs_with(item) - first_epochs_;
    const double left = static_cast<double>(config_.train.epochs) - epochs_with(item);
    return format_duration(seconds_since(start_time_) * left / done);
  }

  double epoch_loss() const {
    return position_.epoch_loss / static_cast<double>(std::max<int64_t>(1, epoch_batches_done_));
  }

  void train_batch(const BatchLoader::Item& item) {
    const auto start = Clock::now();
    if (accumulated_ == 0) {
      update_start_ = start;
      update_audio_seconds_ = 0;
    }
    update_audio_seconds_ += item.batch.audio_seconds;
    skipped_->add(item.skipped);
    // Every utterance of a batch may have been skipped.
    const StepLoss loss = item.batch.ids.empty() ? StepLoss{} : step(item.batch);
    teacher_seconds_ += loss.teacher_seconds;
    if (!std::isfinite(loss.total)) diverged(item.batch, "the loss");
    skipped_->add(loss.impossible);
    ++accumulated_;
    position_.epoch_loss += loss.total;
    epoch_batches_done_ = item.index + 1;
    const bool last = item.index + 1 == item.epoch_size;
    if (accumulated_ == config_.train.accumulate || last) update(item, loss);
    position_.epoch = last ? item.epoch + 1 : item.epoch;
    position_.batch = last ? 0 : item.index + 1;
    position_.training_seconds += seconds_since(start);
  }

  StepLoss step(const Batch& batch) {
    const StepProgress progress{
        .warmed_up = warmed_up(),
        .distillation = distillation_share(config_.train, position_.update, planned_updates(),
                                           planned_updates_per_epoch())};
    return accumulate_gradients(*model_, batch, config_.train, context(), progress,
                                progress.distillation > 0 ? teacher_.get() : nullptr);
  }

  ForwardContext context() const {
    ForwardContext context = ForwardContext::for_training(
        seed_, position_.update * config_.train.accumulate + accumulated_, bf16_);
    context.batch_norm_momentum = config_.train.batch_norm_momentum;
    return context;
  }

  // How far the pruned loss's warm-up has come, 0 to 1.
  double warmed_up() {
    const int64_t span =
        parse_span(config_.train.prune_warmup, planned_updates_per_epoch(), "train.prune_warmup");
    return std::min(1.0, static_cast<double>(position_.update) /
                             static_cast<double>(std::max<int64_t>(1, span)));
  }

  void update(const BatchLoader::Item& item, const StepLoss& loss) {
    const UpdateRates rates = update_rates(config_.train, position_.update + 1, planned_updates(),
                                           planned_updates_per_epoch());
    const double scale = 1.0 / static_cast<double>(accumulated_);
    measures_->before_step(position_.update + 1, scale);
    const double norm = optimiser_->step(rates, scale);
    if (!std::isfinite(norm)) diverged(item.batch, "the gradient");
    accumulated_ = 0;
    ++position_.update;
    if (auto line = measures_->after_step(position_.update)) {
      (*line)["update"] = position_.update;
      (*line)["epoch"] = epochs_with(item);
      measured_->append(line->dump());
    }
    updates_->append(nlohmann::json({{"update", position_.update},
                                     {"epoch", epochs_with(item)},
                                     {"loss", loss.total},
                                     {"transducer", loss.transducer},
                                     {"ctc", loss.ctc},
                                     {"simple", loss.simple},
                                     {"node_divergence", loss.node_divergence},
                                     {"ctc_divergence", loss.ctc_divergence},
                                     {"gradient_norm", norm},
                                     {"lr", rates.lr},
                                     {"copied_lr", rates.copied_lr},
                                     {"seconds", position_.training_seconds}})
                         .dump());
    events_->add_scalars(position_.update,
                         {{"train/loss", loss.total},
                          {"train/transducer", loss.transducer},
                          {"train/ctc", loss.ctc},
                          {"train/simple", loss.simple},
                          {"train/node_divergence", loss.node_divergence},
                          {"train/ctc_divergence", loss.ctc_divergence},
                          {"train/gradient_norm", norm},
                          {"train/learning_rate", rates.lr},
                          {"train/copied_learning_rate", rates.copied_lr},
                          {"train/speed", update_audio_seconds_ / seconds_since(update_start_)}});
  }

  // Epochs done after a batch.
  static double epochs_with(const BatchLoader::Item& item) {
    return static_cast<double>(item.epoch) +
           static_cast<double>(item.index + 1) / static_cast<double>(item.epoch_size);
  }

  [[noreturn]] void diverged(const Batch& batch, const std::string& what) {
    std::string first = "none in the forward pass";
    ForwardContext observed = context();
    bool found = false;
    observed.observe = [&](const std::string& place, const at::Tensor& output) {
      if (!found && !output.isfinite().all().item<bool>()) first = place;
      found = found || first == place;
    };
    const at::NoGradGuard no_grad;
    model_->encode(batch.features.to(model_->device()), batch.feature_lengths, observed);
    throw Failure(fmt::format("{} is not finite in update {}; first layer: {}; utterances: {}",
                              what, position_.update + 1, first, fmt::join(batch.ids, " ")),
                  "lower train.peak_lr, lengthen train.warmup, or look at these utterances");
  }

  bool checkpoint_due() {
    const int64_t every = parse_span(config_.train.checkpoint_every, planned_updates_per_epoch(),
                                     "train.checkpoint_every");
    return accumulated_ == 0 && every > 0 && position_.update - last_checkpoint_ >= every;
  }

  void checkpoint() {
    Checkpoint state{position_, pack_model(*model_, tokenizer_.serialised(), {}), {}};
    optimiser_->save(state.state);
    measures_->save(state.state);
    if (measured_) measured_->sync();
    updates_->sync();
    skipped_->sync();
    results_->sync();
    save_checkpoint(directory_ / "checkpoints", state, config_.train.keep_checkpoints);
    last_checkpoint_ = position_.update;
  }

  void end_epoch(int64_t batches, double audio_seconds, double seconds) {
    const int64_t epoch = position_.epoch;  // epochs done
    const double loss = position_.epoch_loss / static_cast<double>(batches);
    position_.epoch_loss = 0;
    keep_epoch_weights(epoch);
    const bool due = evaluation_due(epoch);
    if (due) rates_ = evaluate_sets(epoch, loss, "raw");
    if (epoch == config_.train.epochs && measuring()) write_loss_line();
    if (epoch == config_.train.epochs && config_.train.average_last > 1) {
      average_epochs();
      rates_ = evaluate_sets(epoch, loss, "averaged");
    }
    const std::string teacher = teacher_seconds_ > 0 ? fmt::format(", the teacher {:.0f} % of it",
                                                                   100 * teacher_seconds_ / seconds)
                                                     : "";
    log_info("epoch {}/{}  loss {:.3f} {}  {:.0f} x real time{}", epoch, config_.train.epochs, loss,
             due ? rates_ : "", audio_seconds / seconds, teacher);
    checkpoint();
  }

  bool evaluation_due(int64_t epoch) const {
    const std::vector<int64_t>& asked = config_.train.evaluate_epochs;
    return asked.empty() || epoch == config_.train.epochs ||
           std::find(asked.begin(), asked.end(), epoch) != asked.end();
  }

  // `weights`: raw, as the last update left them, or averaged.
  std::string evaluate_sets(int64_t epoch, double loss, const std::string& weights) {
    std::string text;
    EvaluationConfig evaluation;
    evaluation.bf16 = bf16_;
    for (const EvaluationSet& set : sets_) {
      const EvaluationResult result = evaluate(*model_, tokenizer_, *set.data, evaluation);
      nlohmann::json line = result.to_json();
      line["set"] = set.name;
      line["weights"] = weights;
      line["epoch"] = epoch;
      line["update"] = position_.update;
      line["training_seconds"] = position_.training_seconds;
      line["train_loss"] = loss;
      results_->append(line.dump());
      events_->add_scalars(
          position_.update,
          {{(weights == "raw" ? "wer/" : "wer_averaged/") + set.name, 100 * result.words.rate()}});
      text += fmt::format(" {} {:.2f} %", set.name, 100 * result.words.rate());
    }
    return text;
  }

  bool measuring() const { return config_.train.measure_every > 0; }

  // From the first weights to those of the last update.
  void write_loss_line() {
    SafeTensors first;
    measures_->save_start(first);
    nlohmann::json line = nlohmann::json::array();
    for (const LinePoint& point : loss_along_line(first, *model_, data_, config_, bf16_))
      line.push_back({point.share, point.loss});
    write_file(directory_ / "loss_line.json", line.dump() + "\n");
  }

  fs::path epoch_file(int64_t epoch) const {
    return directory_ / "epochs" / fmt::format("epoch-{:04}.safetensors", epoch);
  }

  // The last epochs' weights are kept for the average.
  void keep_epoch_weights(int64_t epoch) {
    const int64_t average = config_.train.average_last;
    if (average == 1 || epoch <= config_.train.epochs - average) return;
    fs::create_directories(directory_ / "epochs");
    save_model(epoch_file(epoch), *model_, tokenizer_.serialised(), {});
  }

  void average_epochs() {
    const int64_t count = std::min(config_.train.average_last, config_.train.epochs);
    const at::NoGradGuard no_grad;
    std::vector<SafeTensors> files;
    for (int64_t i = 0; i < count; ++i)
      files.push_back(read_safetensors(epoch_file(config_.train.epochs - i)));
    for (const Parameter& parameter : model_->registry().all()) {
      at::Tensor sum = at::zeros_like(files[0].at(parameter.name), at::kDouble);
      for (const SafeTensors& file : files) sum += file.at(parameter.name);
      parameter.tensor.copy_(sum / static_cast<double>(count));
    }
  }

  void finish() {
    nlohmann::json trained = {{"epochs", config_.train.epochs},
                              {"updates", position_.update},
                              {"seed", config_.train.seed},
                              {"utterances", data_.size()},
                              {"hours", data_.total_seconds() / 3600},
                              {"version", SCION_VERSION}};
    if (teacher_) {
      trained["teacher"] = fs::path(config_.train.distill).filename().string();
      trained["teacher_checksum"] = checksum(read_file(config_.train.distill));
    }
    const nlohmann::json provenance = {
        {"trained", trained},
        {"start",
         start_.provenance.is_null() ? nlohmann::json(config_.train.init) : start_.provenance}};
    save_model(directory_ / "model.safetensors", *model_, tokenizer_.serialised(), provenance);
    fs::remove_all(directory_ / "epochs");
    fs::remove_all(directory_ / "checkpoints");
  }

  RunConfig config_;
  fs::path directory_;
  ModelFile start_;
  Tokenizer tokenizer_;
  Dataset data_;
  uint64_t seed_;
  std::vector<EvaluationSet> sets_;
  std::unique_ptr<Transducer> model_;
  std::set<std::string> copied_;      // parameters that came from another model
  std::unique_ptr<Teacher> teacher_;  // of distillation
  std::unique_ptr<AdamW> optimiser_;
  std::unique_ptr<BatchLoader> loader_;
  std::unique_ptr<SkippedLog> skipped_;
  std::unique_ptr<PathMeasures> measures_;
  std::unique_ptr<LineLog> updates_, results_, measured_;
  std::unique_ptr<EventFile> events_;
  TrainingPosition position_;
  int64_t planned_ = 0, last_checkpoint_ = 0, accumulated_ = 0, epoch_batches_done_ = 0;
  Clock::time_point start_time_, update_start_;
  double update_audio_seconds_ = 0;  // of the batches since the last update
  double teacher_seconds_ = 0;       // in this epoch
  double first_epochs_ = 0;          // done before this start
  std::string rates_;                // of the last evaluation
  bool bf16_ = false;
};

}  // namespace

void train(const RunConfig& config, const fs::path& directory) {
  config.validate();
  if (fs::exists(directory / "model.safetensors") && fs::exists(directory / "config.toml") &&
      is_configuration(directory / "config.toml", config)) {
    log_info("{} is finished already", directory.string());
    return;
  }
  fs::create_directories(directory);
  const DirectoryLock lock(directory);
  if (config.train.threads > 0) set_thread_count(static_cast<int>(config.train.threads));
  Run(config, directory).work();
}

}  // namespace scion
