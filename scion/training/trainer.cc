#include "scion/training/trainer.h"

#include <chrono>

#include "scion/core/device.h"
#include "scion/core/error.h"
#include "scion/core/log.h"
#include "scion/core/progress.h"
#include "scion/core/random.h"
#include "scion/core/threads.h"
#include "scion/data/length_report.h"
#include "scion/data/skipped.h"
#include "scion/model/model_file.h"
#include "scion/model/precision.h"
#include "scion/training/averaging.h"
#include "scion/training/config/schedule.h"
#include "scion/training/divergence.h"
#include "scion/training/evaluation_sets.h"
#include "scion/training/initial_model.h"
#include "scion/training/loss_along_line.h"
#include "scion/training/path_measures.h"
#include "scion/training/run/checkpoint.h"
#include "scion/training/run/run_folder.h"
#include "scion/training/run/run_inputs.h"
#include "scion/training/training_log.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double millions(const Transducer& model) {
  return static_cast<double>(model.registry().parameter_count()) / 1e6;
}

class Run {
 public:
  Run(const RunConfig& config, const fs::path& directory)
      : config_(config),
        folder_(config, directory),
        inputs_(inputs_of(config)),
        checkpoint_(load_newest_checkpoint(folder_.files().checkpoints())),
        start_(config_),
        tokenizer_(find_tokenizer()),
        data_(read_data()),
        lengths_(data_, config.loader),
        average_(folder_.files(), config.train.epochs, config.train.average_last),
        seed_(static_cast<uint64_t>(config.train.seed)) {
    const at::Device device = find_device(config.train.device);
    // cuDNN's algorithms must be deterministic for equal bytes.
    if (device.is_cuda()) at::globalContext().setDeterministicCuDNN(true);
    open_data();
    lengths_.log();
    model_ = start_.make(data_);
    bf16_ =
        use_bf16(config.train.precision, config.train.device, model_->registry().parameter_count());
    model_->to(device);
    if (!config.train.distill.teacher.empty()) open_teacher();
    optimiser_ = std::make_unique<AdamW>(model_->registry(), config.train.optimiser,
                                         start_.copied(), config.train.copied.anchor_decay > 0);
    measures_ = std::make_unique<PathMeasures>(model_->registry(), config.train.measure_every);
    updates_per_epoch_ = std::max<int64_t>(1, batches_of(0) / config.train.accumulate);
    resume();
  }

  void work() {
    while (position_.epoch < config_.train.epochs) train_epoch();
    finish();
  }

 private:
  const RunFiles& files() const { return folder_.files(); }

  // A run that continues keeps the pieces that its weights belong to.
  Tokenizer find_tokenizer() const {
    if (!checkpoint_) return start_.find_tokenizer();
    if (!checkpoint_->inputs.tensors.empty())
      require_same_inputs(RunInputs::unpack(checkpoint_->inputs), inputs_, config_);
    else
      log_warning(
          "the checkpoint does not say what the run was trained on so far: whether the data "
          "has changed is not known");
    Tokenizer tokenizer(packed_tokenizer(checkpoint_->model), "the checkpoint's tokenizer");
    require_pieces(tokenizer);
    return tokenizer;
  }

  void require_pieces(const Tokenizer& tokenizer) const {
    const std::string& path = config_.data.tokenizer;
    if (path.empty()) return;
    const std::string difference =
        piece_difference(tokenizer, "the run's checkpoint", Tokenizer::load(path), path);
    if (!difference.empty())
      throw UserError(fmt::format("data.tokenizer has other pieces than the run: {}", difference),
                      "restore the file or leave data.tokenizer empty to continue the run, or "
                      "choose another --out to train anew");
  }

  // A refusal leaves the list of all that cannot be used.
  Dataset read_data() const {
    const DataConfig& data = config_.data;
    try {
      return Dataset({data.train.begin(), data.train.end()}, config_.model.features, tokenizer_,
                     data.cache, config_.augment.speeds, config_.model.text, data.check,
                     DataPurpose::training, data.skip_share);
    } catch (const TooManySkipped& refusal) {
      throw naming_skipped(refusal, files().skipped(), refusal.skipped());
    }
  }

  void open_data() {
    if (config_.data.check == DataCheck::decode) write_skipped(files().skipped(), data_.skipped());
    skipped_ = std::make_unique<SkippedLog>(files().skipped(),
                                            fmt::format("{}", fmt::join(config_.data.train, ", ")),
                                            data_.size(), config_.data.skip_share);
    sets_ = std::make_unique<EvaluationSets>(config_, tokenizer_);
  }

  void open_teacher() {
    teacher_ = std::make_unique<Teacher>(config_.train.distill, config_.train.precision, *model_,
                                         tokenizer_);
    log_info("learns from {} ({:.2f} M parameters; the student has {:.2f} M)",
             config_.train.distill.teacher, millions(teacher_->model()), millions(*model_));
  }

  int64_t batches_of(int64_t epoch) const {
    return static_cast<int64_t>(epoch_batches(data_, config_.loader, seed_, epoch).size());
  }

  // The first epoch's count is taken for all: later ones differ by a batch or two.
  int64_t planned_updates() const { return updates_per_epoch_ * config_.train.epochs; }

  // Continues from the newest checkpoint if there is one.
  void resume() {
    if (checkpoint_) {
      load_weights(checkpoint_->model, *model_, "checkpoint");
      optimiser_->load(checkpoint_->state);
      measures_->load(checkpoint_->state);
      if (measuring()) measures_->load_start(read_safetensors(files().first_weights()));
      position_ = checkpoint_->position;
      // An epoch of changed data may have fewer batches.
      position_.batch = std::min(position_.batch, batches_of(position_.epoch) - 1);
      last_checkpoint_ = position_.update;
      checkpoint_.reset();
      folder_.record(config_);
      log_info("continues after update {}, epoch {}", position_.update, position_.epoch + 1);
    } else if (measuring()) {
      write_safetensors(files().first_weights(), first_weights());
    }
    log_ = std::make_unique<TrainingLog>(config_, files(), position_.update);
    start_time_ = Clock::now();
    first_epochs_ =
        static_cast<double>(position_.epoch) +
        static_cast<double>(position_.batch) / static_cast<double>(batches_of(position_.epoch));
    loader_ =
        std::make_unique<BatchLoader>(data_, config_.loader, config_.augment,
                                      FeatureStatistics{.mean = model_->feature_mean().cpu()},
                                      seed_, position_.epoch, position_.batch, model_->device());
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
      const double mean_loss = position_.epoch_loss / static_cast<double>(item.index + 1);
      progress.update(item.index + 1,
                      fmt::format("loss {:.3f},{} {:.0f} x real time, run {} left", mean_loss,
                                  rates_.empty() ? "" : rates_ + ",",
                                  audio_seconds / seconds_since(start), time_left(item)));
      if (position_.epoch != epoch)
        end_epoch(item.epoch_size, audio_seconds, seconds_since(start));
      else if (checkpoint_due())
        checkpoint();
    }
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
    const bool last = item.index + 1 == item.epoch_size;
    if (accumulated_ == config_.train.accumulate || last) update(item, loss);
    position_.epoch = last ? item.epoch + 1 : item.epoch;
    position_.batch = last ? 0 : item.index + 1;
    position_.training_seconds += seconds_since(start);
  }

  StepLoss step(const Batch& batch) {
    const int64_t warmup = config_.train.loss.prune_warmup.in_updates(updates_per_epoch_);
    const StepProgress progress{
        .warmed_up = std::min(1.0, static_cast<double>(position_.update) /
                                       static_cast<double>(std::max<int64_t>(1, warmup))),
        .distillation = distillation_share(config_.train.distill, position_.update,
                                           planned_updates(), updates_per_epoch_),
        .rnnt_batch =
            Random(seed_, RandomStream::omega, static_cast<uint64_t>(batches_before())).uniform() <
            config_.train.loss.omega};
    return accumulate_gradients(*model_, batch, config_.train, context(), progress,
                                progress.distillation > 0 ? teacher_.get() : nullptr);
  }

  /// The number of batches of all updates before this one.
  int64_t batches_before() const {
    return position_.update * config_.train.accumulate + accumulated_;
  }

  ForwardContext context() const {
    ForwardContext context = ForwardContext::for_training(seed_, batches_before(), bf16_);
    context.batch_norm_momentum = config_.train.batch_norm_momentum;
    return context;
  }

  void update(const BatchLoader::Item& item, const StepLoss& loss) {
    const UpdateRates rates =
        update_rates(config_.train, position_.update + 1, planned_updates(), updates_per_epoch_);
    const double scale = 1.0 / static_cast<double>(accumulated_);
    measures_->before_step(position_.update + 1, scale);
    const double norm = optimiser_->step(rates, scale);
    if (!std::isfinite(norm)) diverged(item.batch, "the gradient");
    accumulated_ = 0;
    ++position_.update;
    if (auto measured = measures_->after_step(position_.update))
      log_->add_measures(position_.update, epochs_with(item), *std::move(measured));
    log_->add({.update = position_.update,
               .epoch = epochs_with(item),
               .losses = loss,
               .gradient_norm = norm,
               .rates = rates,
               .training_seconds = position_.training_seconds,
               .speed = update_audio_seconds_ / seconds_since(update_start_)});
  }

  [[noreturn]] void diverged(const Batch& batch, const std::string& what) const {
    report_divergence(*model_, batch, context(), what, position_.update + 1);
  }

  // Epochs done after a batch.
  static double epochs_with(const BatchLoader::Item& item) {
    return static_cast<double>(item.epoch) +
           static_cast<double>(item.index + 1) / static_cast<double>(item.epoch_size);
  }

  // Of the whole run, from the epochs since it started or continued.
  std::string time_left(const BatchLoader::Item& item) const {
    const double done = epochs_with(item) - first_epochs_;
    const double left = static_cast<double>(config_.train.epochs) - epochs_with(item);
    return format_duration(seconds_since(start_time_) * left / done);
  }

  bool checkpoint_due() const {
    const int64_t every = config_.train.checkpoint.every.in_updates(updates_per_epoch_);
    return accumulated_ == 0 && every > 0 && position_.update - last_checkpoint_ >= every;
  }

  void checkpoint() {
    Checkpoint state{
        position_, pack_model(*model_, tokenizer_.serialised(), {}), {}, inputs_.pack()};
    optimiser_->save(state.state);
    measures_->save(state.state);
    log_->sync();
    skipped_->sync();
    save_checkpoint(files().checkpoints(), state, config_.train.checkpoint.keep);
    last_checkpoint_ = position_.update;
  }

  void end_epoch(int64_t batches, double audio_seconds, double seconds) {
    const int64_t epoch = position_.epoch;  // epochs done
    const bool last = epoch == config_.train.epochs;
    const double loss = position_.epoch_loss / static_cast<double>(batches);
    position_.epoch_loss = 0;
    average_.keep(epoch, *model_, tokenizer_);
    const bool due = sets_->due(epoch);
    if (due) rates_ = evaluate(loss, Weights::raw);
    if (last && measuring()) write_loss_line();
    if (last && average_.averages()) {
      average_.apply_to(*model_);
      rates_ = evaluate(loss, Weights::averaged);
    }
    const std::string teacher = teacher_seconds_ > 0 ? fmt::format(", the teacher {:.0f} % of it",
                                                                   100 * teacher_seconds_ / seconds)
                                                     : "";
    log_info("epoch {}/{}  loss {:.3f} {}  {:.0f} x real time{}", epoch, config_.train.epochs, loss,
             due ? rates_ : "", audio_seconds / seconds, teacher);
    checkpoint();
  }

  std::string evaluate(double loss, Weights weights) {
    return sets_->evaluate(*model_, bf16_,
                           {.weights = weights,
                            .epoch = position_.epoch,
                            .update = position_.update,
                            .training_seconds = position_.training_seconds,
                            .train_loss = loss},
                           *log_);
  }

  bool measuring() const { return config_.train.measure_every > 0; }

  SafeTensors first_weights() const {
    SafeTensors first;
    measures_->save_start(first);
    return first;
  }

  // From the first weights to those of the last update.
  void write_loss_line() const {
    nlohmann::json line = nlohmann::json::array();
    for (const LinePoint& point : loss_along_line(first_weights(), *model_, data_, config_, bf16_))
      line.push_back({point.share, point.loss});
    write_file(files().loss_line(), line.dump() + "\n");
  }

  void finish() {
    Provenance::Trained trained{.epochs = config_.train.epochs,
                                .updates = position_.update,
                                .seed = config_.train.seed,
                                .utterances = static_cast<int64_t>(lengths_.kept()),
                                .hours = lengths_.kept_seconds() / 3600,
                                .version = SCION_VERSION};
    if (teacher_) {
      trained.teacher = fs::path(config_.train.distill.teacher).filename().string();
      trained.teacher_checksum = inputs_.files.at("train.distill.teacher");
    }
    folder_.finish(*model_, tokenizer_.serialised(), start_.as_start_of(trained), inputs_);
  }

  RunConfig config_;
  RunFolder folder_;
  RunInputs inputs_;
  std::optional<Checkpoint> checkpoint_;  // to continue from, until it is loaded
  InitialModel start_;
  Tokenizer tokenizer_;
  Dataset data_;
  LengthReport lengths_;
  EpochAverage average_;
  uint64_t seed_;
  std::unique_ptr<EvaluationSets> sets_;
  std::unique_ptr<Transducer> model_;
  std::unique_ptr<Teacher> teacher_;  // of distillation
  std::unique_ptr<AdamW> optimiser_;
  std::unique_ptr<BatchLoader> loader_;
  std::unique_ptr<SkippedLog> skipped_;
  std::unique_ptr<PathMeasures> measures_;
  std::unique_ptr<TrainingLog> log_;
  TrainingPosition position_;
  int64_t updates_per_epoch_ = 1, last_checkpoint_ = 0;
  int64_t accumulated_ = 0;  // batches since the last update
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
  if (is_finished_run(directory, config)) {
    log_info("{} is finished already", directory.string());
    return;
  }
  use_threads(config.train.threads);
  Run(config, directory).work();
}

}  // namespace scion
