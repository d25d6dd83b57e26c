#include "scion/training/config/run_config.h"

#include "scion/core/error.h"
#include "scion/core/files/file.h"
#include "scion/nn/initialise.h"

namespace scion {
namespace fs = std::filesystem;

void DataConfig::declare(Options& options) {
  options.add("train", train, "manifests to train on").path();
  options.add("evaluation", evaluation, "sets to evaluate on, each \"name=manifest\"")
      .path()
      .adjustable();
  options
      .add("tokenizer", tokenizer,
           "SentencePiece model; empty: that of the model file which train.init names, else one "
           "trained on the training texts")
      .path()
      .adjustable();
  options.add("check", check,
              "validation of the training data; decode: every file is decoded at the start; trust: "
              "durations are taken from the manifests, and unusable utterances are skipped when "
              "they are reached");
  options
      .add("skip_share", skip_share,
           "the most of a training manifest's utterances that may be skipped")
      .range(0, 1)
      .adjustable();
  options.add("cache", cache, "folder for computed features; empty: features are not kept")
      .path()
      .adjustable();
}

void RunConfig::declare(Options& options) {
  options.section("data", data, "training and evaluation data");
  options.section("model", model, "the recogniser");
  options.section("tokenizer", tokenizer, "the tokenizer that is trained when none is given");
  options.section("loader", loader, "batches");
  options.section("augment", augment, "augmentation");
  options.section("train", train, "optimisation");
}

std::string RunConfig::to_toml() const {
  RunConfig copy = *this;
  Options options;
  copy.declare(options);
  return options.to_toml();
}

// A name that is neither a scheme nor looks like a file is a typing error.
static void check_start(const std::string& init) {
  if (is_random_scheme(init) || init.find_first_of("./") != std::string::npos || fs::exists(init))
    return;
  const std::string near = nearest_name(init, random_schemes());
  throw UserError(fmt::format("train.init is '{}'", init),
                  fmt::format("{}write {}, or the path of a model file",
                              near.empty() ? "" : fmt::format("did you mean '{}'? ", near),
                              fmt::join(random_schemes(), ", ")));
}

static void validate_distillation(const RunConfig& config) {
  const DistillConfig& distill = config.train.distill;
  if (distill.teacher.empty()) return;
  if (distill.weight == 0 && distill.ctc_weight == 0)
    throw UserError("train.distill.teacher is set and both weights are 0",
                    "set train.distill.weight or train.distill.ctc_weight");
  if (distill.ctc_weight > 0 && !config.model.ctc)
    throw UserError(
        fmt::format("train.distill.ctc_weight is {} and model.ctc is false", distill.ctc_weight),
        "set train.distill.ctc_weight = 0 or model.ctc = true");
  if (distill.weight > 0 && config.train.loss.kind == LossKind::pruned)
    throw UserError(
        fmt::format("train.distill.weight is {} and train.loss.kind is pruned", distill.weight),
        "set train.distill.weight = 0 (the CTC heads' distillation remains), or "
        "train.loss.kind = \"exact\"");
}

static void validate_durations(const RunConfig& config) {
  if (config.model.durations.empty()) return;
  if (config.train.loss.kind == LossKind::pruned)
    throw UserError("train.loss.kind is pruned and model.durations make the model a TDT",
                    "set train.loss.kind = \"exact\": it is fused with the joiner, too");
  if (config.train.device == "cuda")
    throw UserError("train.device is cuda and model.durations make the model a TDT",
                    "set train.device = \"cpu\": the TDT loss has no kernels for a GPU");
}

void RunConfig::validate() const {
  model.validate();
  if (data.train.empty())
    throw UserError("data.train names no manifest",
                    "name at least one: data.train = [\"train.jsonl\"]");
  if (train.loss.ctc_weight > 0 && !model.ctc)
    throw UserError(
        fmt::format("train.loss.ctc_weight is {} and model.ctc is false", train.loss.ctc_weight),
        "set train.loss.ctc_weight = 0 or model.ctc = true");
  if (train.loss.kind == LossKind::pruned && !model.simple_joiner)
    throw UserError("train.loss.kind is pruned and model.simple_joiner is false",
                    "set model.simple_joiner = true or train.loss.kind = \"exact\"");
  validate_durations(*this);
  augment.validate();
  check_start(train.init);
  validate_distillation(*this);
}

void resolve_paths(RunConfig& config, const fs::path& directory) {
  const auto resolve = [&](std::string& path) {
    if (!path.empty() && fs::path(path).is_relative()) path = (directory / path).lexically_normal();
  };
  for (std::string& path : config.data.train) resolve(path);
  for (NamedManifest& set : config.data.evaluation) resolve(set.path);
  resolve(config.data.tokenizer);
  resolve(config.data.cache);
  resolve(config.augment.noise);
  resolve(config.augment.responses);
  resolve(config.train.distill.teacher);
  if (config.train.init.find('.') != std::string::npos) resolve(config.train.init);
}

static void apply_preset(ModelConfig& model, nlohmann::json& table) {
  if (!table.is_object() || !table.contains("preset")) return;
  if (!table["preset"].is_string())
    throw UserError("model.preset is not a string", "write preset = \"conformer-9m\"");
  const FeatureConfig features = model.features;
  model = preset(table["preset"].get<std::string>());
  model.features = features;
  table.erase("preset");
}

void load_run_config(RunConfig& config, nlohmann::json table, const std::string& place,
                     const fs::path& directory) {
  if (table.contains("model")) apply_preset(config.model, table["model"]);
  Options options;
  config.declare(options);
  options.load_json(table, place);
  if (!config.model.ctc) {
    // Losses of a CTC head are off, unless the file sets their weights.
    if (!options.is_set("train.loss.ctc_weight")) config.train.loss.ctc_weight = 0;
    if (!options.is_set("train.distill.ctc_weight")) config.train.distill.ctc_weight = 0;
  }
  resolve_paths(config, directory);
}

RunConfig read_run_config(const fs::path& path, const std::string& preset_name) {
  RunConfig config;
  nlohmann::json table = parse_toml(read_file(path), path.string());
  if (!preset_name.empty()) table["model"]["preset"] = preset_name;
  load_run_config(config, std::move(table), path.string(), fs::absolute(path).parent_path());
  return config;
}

ModelConfig read_model_config(const fs::path& path) {
  nlohmann::json table = parse_toml(read_file(path), path.string());
  if (table.contains("model")) table = nlohmann::json(table["model"]);
  ModelConfig config;
  apply_preset(config, table);
  Options options;
  config.declare(options);
  options.load_json(table, path.string());
  config.validate();
  return config;
}

}  // namespace scion
