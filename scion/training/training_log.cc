#include "scion/training/training_log.h"

#include <nlohmann/json.hpp>

#include "scion/core/files/json_lines.h"

namespace scion {
namespace {

struct NamedValue {
  std::string json, event;  ///< names in updates.jsonl and in TensorBoard; "": not there
  double value;
};

std::vector<NamedValue> named_values(const UpdateRecord& record) {
  const StepLoss& losses = record.losses;
  return {{"epoch", "", record.epoch},
          {"loss", "train/loss", losses.total},
          {"transducer", "train/transducer", losses.transducer},
          {"ctc", "train/ctc", losses.ctc},
          {"simple", "train/simple", losses.simple},
          {"node_divergence", "train/node_divergence", losses.node_divergence},
          {"ctc_divergence", "train/ctc_divergence", losses.ctc_divergence},
          {"gradient_norm", "train/gradient_norm", record.gradient_norm},
          {"lr", "train/learning_rate", record.rates.lr},
          {"copied_lr", "train/copied_learning_rate", record.rates.copied_lr},
          {"", "train/speed", record.speed},
          {"seconds", "", record.training_seconds}};
}

}  // namespace

TrainingLog::TrainingLog(const RunConfig& config, const RunFiles& files, int64_t update) {
  for (const auto& path : {files.updates(), files.results(), files.measures()})
    keep_lines(path, [&](const nlohmann::json& line) {
      return line.at("update").get<int64_t>() <= update;
    });
  if (config.train.measure_every > 0) measures_ = std::make_unique<LineLog>(files.measures());
  updates_ = std::make_unique<LineLog>(files.updates());
  results_ = std::make_unique<LineLog>(files.results());
  events_ = std::make_unique<EventFile>(files.directory(), update);
  if (update == 0) events_->add_text(0, "configuration", "```toml\n" + config.to_toml() + "```");
}

void TrainingLog::add(const UpdateRecord& record) {
  nlohmann::json line = {{"update", record.update}};
  std::vector<ScalarPoint> points;
  for (const NamedValue& value : named_values(record)) {
    if (!value.json.empty()) line[value.json] = value.value;
    if (!value.event.empty()) points.push_back({value.event, value.value});
  }
  updates_->append(line.dump());
  events_->add_scalars(record.update, points);
}

void TrainingLog::add_measures(int64_t update, double epoch, nlohmann::json measures) {
  measures["update"] = update;
  measures["epoch"] = epoch;
  measures_->append(measures.dump());
}

void TrainingLog::add(const EvaluationRecord& record, const EvaluationResult& result) {
  nlohmann::json line = result.to_json();
  line["set"] = record.set;
  line["weights"] = word_of(record.weights);
  line["epoch"] = record.epoch;
  line["update"] = record.update;
  line["training_seconds"] = record.training_seconds;
  line["train_loss"] = record.train_loss;
  results_->append(line.dump());
  const std::string tag = record.weights == Weights::raw ? "wer/" : "wer_averaged/";
  events_->add_scalars(record.update, {{tag + record.set, 100 * result.score.words.rate()}});
}

void TrainingLog::sync() {
  if (measures_) measures_->sync();
  updates_->sync();
  results_->sync();
}

}  // namespace scion
