#include "scion/training/run_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "scion/core/error.h"
#include "scion/core/file.h"
#include "scion/core/progress.h"
#include "scion/data/manifest.h"
#include "scion/model/model_file.h"

namespace scion {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

ManifestRecord read_manifest_record(const std::string& path) {
  ManifestRecord record{path, std::nullopt, 0};
  try {
    const std::vector<Utterance> utterances = read_manifest(path);
    record.utterances = static_cast<int64_t>(utterances.size());
    for (const Utterance& utterance : utterances) record.hours += utterance.seconds / 3600;
  } catch (const Error&) {  // moved or changed since: the rest of the record stands without it
  }
  return record;
}

// Names such as `checkpoints/update-00000123` whose folders are whole.
std::vector<std::string> list_checkpoints(const fs::path& directory) {
  std::vector<std::string> names;
  if (!fs::exists(directory / "checkpoints")) return names;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory / "checkpoints"))
    if (fs::exists(entry.path() / "checkpoint.json") && entry.path().extension().empty())
      names.push_back(fs::relative(entry.path(), directory).string());
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<int64_t> count_parameters(const RunRecord& record) {
  const fs::path model = record.finished ? record.directory / "model.safetensors"
                         : record.checkpoints.empty()
                             ? fs::path()
                             : record.directory / record.checkpoints.back() / "model.safetensors";
  if (model.empty()) return std::nullopt;
  try {
    return load_model(model).model->registry().parameter_count();
  } catch (const Error&) {  // broken, or replaced by a newer one just now
    return std::nullopt;
  }
}

double mean_loss(const std::vector<json>& lines, size_t begin, size_t end) {
  double sum = 0;
  for (size_t i = begin; i < end; ++i) sum += lines[i].value("loss", 0.0);
  return sum / static_cast<double>(end - begin);
}

void read_updates(RunRecord& record) {
  const std::vector<json> lines = read_json_lines(record.directory / "updates.jsonl");
  if (lines.empty()) return;
  record.updates = lines.back().value("update", int64_t{0});
  record.epochs = lines.back().value("epoch", 0.0);
  record.training_seconds = lines.back().value("seconds", 0.0);
  const size_t part = std::max<size_t>(1, lines.size() / 20);
  record.first_loss = mean_loss(lines, 0, part);
  record.loss = mean_loss(lines, lines.size() - part, lines.size());
  double hours = 0;
  for (const ManifestRecord& manifest : record.training) hours += manifest.hours;
  if (record.training_seconds > 0)
    record.speed = hours * 3600 * record.epochs / record.training_seconds;
}

void read_results(RunRecord& record) {
  for (const json& line : read_json_lines(record.directory / "results.jsonl")) {
    const std::string name = line.value("set", "");
    const auto epoch = line.value("epoch", int64_t{0});
    const double wer = line.value("wer", 0.0);
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

void list_files(RunRecord& record) {
  for (const char* name : {"model.safetensors", "config.toml", "updates.jsonl", "results.jsonl",
                           "skipped.jsonl", "log.txt"})
    if (fs::exists(record.directory / name)) record.files.emplace_back(name);
  std::vector<std::string> events;
  for (const fs::directory_entry& entry : fs::directory_iterator(record.directory)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("events.out.tfevents.")) events.push_back(name);
  }
  std::sort(events.begin(), events.end());
  record.files.insert(record.files.end(), events.begin(), events.end());
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

bool is_run(const fs::path& directory) {
  return fs::exists(directory / "config.toml") && fs::exists(directory / "updates.jsonl");
}

std::vector<json> read_json_lines(const fs::path& path) {
  std::vector<json> lines;
  if (!fs::exists(path)) return lines;
  std::istringstream text(read_file(path));
  for (std::string line; std::getline(text, line);) {
    json value = json::parse(line, nullptr, false);
    if (value.is_object()) lines.push_back(std::move(value));
  }
  return lines;
}

RunRecord read_run_record(const fs::path& directory) {
  if (!is_run(directory))
    throw UserError(fmt::format("{} is no folder of a training run", directory.string()),
                    "name the --out of 'scion train'");
  RunRecord record;
  record.directory = directory;
  record.config = read_run_config(directory / "config.toml");
  record.finished = fs::exists(directory / "model.safetensors");
  record.checkpoints = list_checkpoints(directory);
  record.parameters = count_parameters(record);
  for (const std::string& path : record.config.data.train)
    record.training.push_back(read_manifest_record(path));
  for (const std::string& entry : record.config.data.evaluation)
    record.evaluation.push_back(read_manifest_record(entry.substr(entry.find('=') + 1)));
  record.skipped = static_cast<int64_t>(read_json_lines(directory / "skipped.jsonl").size());
  read_updates(record);
  read_results(record);
  list_files(record);
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
  return {{"kind", "run"},
          {"directory", record.directory.string()},
          {"parameters", record.parameters ? json(*record.parameters) : json()},
          {"start", record.config.train.init},
          {"training", manifests_json(record.training)},
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
  text += row("training", fmt::format("{} epochs, highest rate {:g}, {}, seed {}, {}", train.epochs,
                                      train.peak_lr, train.schedule, train.seed, train.device));
  for (const ManifestRecord& manifest : record.training)
    text += row("trains on", manifest_text(manifest));
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
