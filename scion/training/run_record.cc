#include "scion/training/run_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "scion/core/error.h"
#include "scion/core/files/json_lines.h"
#include "scion/core/progress.h"
#include "scion/data/length_report.h"
#include "scion/data/manifest/manifest.h"
#include "scion/model/model_file.h"
#include "scion/training/run/checkpoint.h"
#include "scion/training/run/run_folder.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

// `lengths` counts what of it is trained on; nullptr for an evaluation set.
ManifestRecord read_manifest_record(const std::string& path, LengthReport* lengths) {
  ManifestRecord record{path, std::nullopt, 0};
  try {
    const std::vector<Utterance> utterances = read_manifest(path);
    record.utterances = static_cast<int64_t>(utterances.size());
    for (const Utterance& utterance : utterances) {
      record.hours += utterance.seconds / 3600;
      if (lengths) lengths->add(utterance.seconds);
    }
  } catch (const Error&) {  // moved or changed since
  }
  return record;
}

std::optional<int64_t> count_parameters(const RunFiles& files, const RunRecord& record) {
  if (!record.finished && record.checkpoints.empty()) return std::nullopt;
  const fs::path model = record.finished
                             ? files.model()
                             : checkpoint_model(files.directory() / record.checkpoints.back());
  try {
    return load_model(model).model->registry().parameter_count();
  } catch (const Error&) {  // broken, or just replaced by a newer one
    return std::nullopt;
  }
}

double mean_loss(const std::vector<json>& lines, size_t begin, size_t end) {
  double sum = 0;
  for (size_t i = begin; i < end; ++i) sum += lines[i].value("loss", 0.0);
  return sum / static_cast<double>(end - begin);
}

void read_updates(const RunFiles& files, RunRecord& record) {
  const std::vector<json> lines = read_json_lines(files.updates());
  if (lines.empty()) return;
  record.updates = lines.back().value("update", int64_t{0});
  record.epochs = lines.back().value("epoch", 0.0);
  record.training_seconds = lines.back().value("seconds", 0.0);
  const size_t part = std::max<size_t>(1, lines.size() / 20);
  record.first_loss = mean_loss(lines, 0, part);
  record.loss = mean_loss(lines, lines.size() - part, lines.size());
  double hours = 0;
  for (const ManifestRecord& manifest : record.training) hours += manifest.hours;
  hours -= record.left_out.hours;
  if (record.training_seconds > 0)
    record.speed = hours * 3600 * record.epochs / record.training_seconds;
}

void read_results(const RunFiles& files, RunRecord& record) {
  for (const json& line : read_json_lines(files.results())) {
    const std::string name = line.value("set", "");
    const auto epoch = line.value("epoch", int64_t{0});
    const json rate = line.value("wer", json(0.0));
    const double wer = rate.is_null() ? HUGE_VAL : rate.get<double>();
    auto set = std::find_if(record.sets.begin(), record.sets.end(),
                            [&](const SetRecord& known) { return known.name == name; });
    if (set == record.sets.end())
      set = record.sets.insert(set, SetRecord{name, 0, epoch, epoch, wer, wer});
    ++set->evaluations;
    set->last_epoch = epoch;
    set->last_wer = wer;
    if (wer >= set->best_wer) continue;
    set->best_epoch = epoch;
    set->best_wer = wer;
  }
}

json manifests_json(const std::vector<ManifestRecord>& manifests) {
  json list = json::array();
  for (const ManifestRecord& manifest : manifests)
    list.push_back({{"path", manifest.path},
                    {"utterances", manifest.utterances ? json(*manifest.utterances) : json()},
                    {"hours", manifest.hours}});
  return list;
}

std::string manifest_text(const ManifestRecord& manifest) {
  if (!manifest.utterances) return manifest.path + " (cannot be read any more)";
  return fmt::format("{} ({} utterances, {:.2f} h)", manifest.path, *manifest.utterances,
                     manifest.hours);
}

std::string row(const std::string& name, const std::string& value) {
  return fmt::format("{:<12}{}\n", name, value);
}

std::string model_text(const RunRecord& record) {
  const std::string size =
      record.parameters
          ? fmt::format("{:.2f} M parameters", static_cast<double>(*record.parameters) / 1e6)
          : "size known from the first checkpoint on";
  return fmt::format("{}, starts from {}", size, record.config.train.init);
}

std::string progress_text(const RunRecord& record) {
  std::string text = fmt::format("{}: epoch {:.2f} of {}, {} updates in {}",
                                 record.finished ? "finished" : "not finished", record.epochs,
                                 record.config.train.epochs, record.updates,
                                 format_duration(record.training_seconds));
  if (record.speed > 0) text += fmt::format(", {:.0f} x real time", record.speed);
  if (const auto left = record.seconds_left())
    text += fmt::format(", {} of training left", format_duration(*left));
  return text;
}

}  // namespace

std::optional<double> RunRecord::seconds_left() const {
  if (finished || epochs <= 0) return std::nullopt;
  return training_seconds * (static_cast<double>(config.train.epochs) - epochs) / epochs;
}

bool is_run(const fs::path& directory) { return RunFiles(directory).has_run(); }

RunRecord read_run_record(const fs::path& directory) {
  if (!is_run(directory))
    throw UserError(fmt::format("{} is not the folder of a training run", directory.string()),
                    "name the --out of 'scion train'");
  const RunFiles files(directory);
  RunRecord record;
  record.directory = directory;
  record.config = read_run_config(files.config());
  record.finished = files.is_finished();
  record.checkpoints = files.checkpoint_names();
  record.parameters = count_parameters(files, record);
  LengthReport lengths(record.config.loader);
  for (const std::string& path : record.config.data.train)
    record.training.push_back(read_manifest_record(path, &lengths));
  record.left_out = {lengths.left_out(), lengths.left_out_seconds() / 3600, lengths.lines()};
  for (const NamedManifest& set : record.config.data.evaluation)
    record.evaluation.push_back(read_manifest_record(set.path, nullptr));
  record.skipped = static_cast<int64_t>(read_json_lines(files.skipped()).size());
  read_updates(files, record);
  read_results(files, record);
  record.files = files.present();
  return record;
}

json to_json(const RunRecord& record) {
  json sets = json::object();
  for (const SetRecord& set : record.sets)
    sets[set.name] = {{"evaluations", set.evaluations},
                      {"last_epoch", set.last_epoch},
                      {"last_wer", set.last_wer},
                      {"best_epoch", set.best_epoch},
                      {"best_wer", set.best_wer}};
  const auto left = record.seconds_left();
  return {
      {"kind", "run"},
      {"directory", record.directory.string()},
      {"parameters", record.parameters ? json(*record.parameters) : json()},
      {"start", record.config.train.init},
      {"training", manifests_json(record.training)},
      {"left_out", {{"utterances", record.left_out.utterances}, {"hours", record.left_out.hours}}},
      {"evaluation", manifests_json(record.evaluation)},
      {"skipped", record.skipped},
      {"finished", record.finished},
      {"updates", record.updates},
      {"epochs", record.epochs},
      {"training_seconds", record.training_seconds},
      {"seconds_left", left ? json(*left) : json()},
      {"speed", record.speed},
      {"first_loss", record.first_loss},
      {"loss", record.loss},
      {"sets", sets},
      {"checkpoints", record.checkpoints},
      {"files", record.files},
      {"config", options_json(record.config)}};
}

std::string to_text(const RunRecord& record) {
  const TrainConfig& train = record.config.train;
  std::string text = row("run", record.directory.string());
  text += row("model", model_text(record));
  text += row("training",
              fmt::format("{} epochs, highest rate {:g}, {}, seed {}, {}", train.epochs,
                          train.peak_lr, word_of(train.schedule), train.seed, train.device));
  for (const ManifestRecord& manifest : record.training)
    text += row("trains on", manifest_text(manifest));
  for (const std::string& line : record.left_out.lines) text += row("left out", line);
  for (const ManifestRecord& manifest : record.evaluation)
    text += row("evaluates", manifest_text(manifest));
  text += row("skipped", fmt::format("{} utterances", record.skipped));
  text += row("progress", progress_text(record));
  if (record.updates > 0)
    text += row("loss", fmt::format("{:.3f} (at first {:.3f})", record.loss, record.first_loss));
  for (const SetRecord& set : record.sets)
    text +=
        row("WER", fmt::format("{} {:.2f} % after epoch {}, best {:.2f} % after epoch {}", set.name,
                               set.last_wer, set.last_epoch, set.best_wer, set.best_epoch));
  for (const std::string& checkpoint : record.checkpoints) text += row("checkpoint", checkpoint);
  return text + row("files", fmt::format("{}", fmt::join(record.files, ", ")));
}

}  // namespace scion
