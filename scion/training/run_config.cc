#include "scion/training/run_config.h"

#include "scion/core/error.h"
#include "scion/core/file.h"

namespace scion {
namespace fs = std::filesystem;

void DataConfig::declare(Options& options) {
  options.add("train", train, "manifests to train on");
  options.add("evaluation", evaluation, "sets to evaluate on, each \"name=manifest\"");
  options.add("tokenizer", tokenizer, "SentencePiece model; empty: made from the training text");
  options
      .add("check", check,
           "of the training data; decode: every file at the start; trust: the manifests' durations "
           "are believed, and what cannot be used is skipped when its turn comes")
      .choices({"decode", "trust"});
  options.add("cache", cache, "folder that keeps computed features; empty: none is kept");
}

static void declare_distillation(TrainConfig& train, Options& options) {
  options.add("distill", train.distill,
              "model file of a teacher whose outputs are learnt as well; empty: none");
  options
      .add("distill_weight", train.distill_weight,
           "weight of the divergence from the teacher on the lattice's nodes, over {label, blank, "
           "rest}, summed over an utterance; 0: none")
      .range(0, 1000);
  options
      .add(
          "distill_nodes", train.distill_nodes,
          "all: every node alike; occupied: as much as it is probable in the teacher's alignments; "
          "either way frames + labels in all")
      .choices({"all", "occupied"});
  options
      .add("distill_ctc_weight", train.distill_ctc_weight,
           "weight of the divergence between the CTC heads, summed over an utterance's frames; 0: "
           "none, the default where the model has no CTC head")
      .range(0, 1000);
  options
      .add("distill_ctc_temperature", train.distill_ctc_temperature,
           "the CTC heads' logits are divided by it, and their divergence multiplied by its square")
      .range(0.1, 100);
  options.add("distill_until", train.distill_until,
              "distillation ends after \"4e\" epochs or \"500u\" updates; empty: with the run");
  options.add("distill_fade", train.distill_fade,
              "distillation's weights fall linearly to zero at its end");
}

static void declare_start(TrainConfig& train, Options& options) {
  options
      .add("copied_lr_scale", train.copied_lr_scale,
           "learning rate of parameters that came from another model, as a multiple of the others'")
      .range(0, 100);
  options.add("copied_warmup", train.copied_warmup,
              "warm-up of parameters that came from another model, \"2e\" or \"500u\"; empty: "
              "that of all");
  options
      .add("anchor_decay", train.anchor_decay,
           "AdamW: parameters that came from another model decay towards their first values, by "
           "this times the learning rate an update; they have no other weight decay meanwhile")
      .range(0, 100);
  options.add("anchor_until", train.anchor_until,
              "the decay towards the first values ends after \"4e\" or \"500u\"; empty: with the "
              "run");
  options
      .add("batch_norm_momentum", train.batch_norm_momentum,
           "share of a batch in batch normalisation's running statistics")
      .range(0, 1);
}

void TrainConfig::declare(Options& options) {
  options.add("init", init, "xavier, he, default, or the path of a model file");
  options.add("epochs", epochs, "passes over the training data").range(1, 100000).unit("epochs");
  options.add("peak_lr", peak_lr, "highest learning rate").range(0, 10);
  options.add("schedule", schedule, "what follows the linear warm-up")
      .choices({"cosine", "noam", "constant"});
  options.add("warmup", warmup, "length of the warm-up: \"2e\" epochs or \"500u\" updates");
  options.add("final_lr_share", final_lr_share, "cosine: last rate as a share of the highest")
      .range(0, 1);
  options.add("beta1", beta1, "AdamW").range(0, 1);
  options.add("beta2", beta2, "AdamW").range(0, 1);
  options.add("weight_decay", weight_decay, "AdamW, on matrices and kernels").range(0, 1);
  options.add("clip_norm", clip_norm, "gradients are scaled down to this norm; 0: never")
      .range(0, 1e6);
  options.add("accumulate", accumulate, "batches whose gradients make one update")
      .range(1, 10000)
      .unit("batches");
  options
      .add("ctc_weight", ctc_weight,
           "share of the CTC loss; the transducer loss has the rest; 0 by default where the model "
           "has no CTC head")
      .range(0, 1);
  options
      .add("loss", loss,
           "of the transducer; pruned: the joiner sees a band of states that a simple joiner finds")
      .choices({"exact", "pruned"});
  options
      .add("loss_workspace", loss_workspace,
           "logits that the transducer loss keeps for its backward pass, at most; what finds no "
           "room is computed twice")
      .range(0, 1000000)
      .unit("MB");
  options.add("prune_width", prune_width, "pruned: states in a frame that the joiner sees")
      .range(2, 1000);
  options.add("simple_weight", simple_weight, "pruned: weight of the simple joiner's own loss")
      .range(0, 10);
  options
      .add("simple_predictor_share", simple_predictor_share,
           "pruned: share of the simple loss that sees the predictor alone (smoothing)")
      .range(0, 1);
  options.add(
      "prune_warmup", prune_warmup,
      "pruned: \"1e\" or \"500u\" until the pruned loss has its full weight, and the simple "
      "one only its own");
  options
      .add("fast_emit", fast_emit,
           "FastEmit: gradients of emitting a label are 1 + this times as large; 0: off")
      .range(0, 1);
  options
      .add(
          "delay_penalty", delay_penalty,
          "a label is worth this much less in the transducer loss with every encoder frame; 0: off")
      .range(0, 1);
  declare_distillation(*this, options);
  declare_start(*this, options);
  options
      .add("precision", precision,
           "of matrix products; auto: bf16 where the processor has it and it was measured to be "
           "faster")
      .choices({"auto", "fp32", "bf16"});
  options.add("average_last", average_last, "the final model averages so many last epochs")
      .range(1, 1000)
      .unit("epochs");
  options
      .add("measure_every", measure_every,
           "gradients' norm, change and cosine, the weights' path and displacement, by part of the "
           "network, go to measures.jsonl after every so many updates, and the loss along the line "
           "from start to end to loss_line.json; 0: never")
      .range(0, 100000)
      .unit("updates");
  options.add("checkpoint_every", checkpoint_every, "\"1e\": epochs, \"100u\": updates");
  options.add("keep_checkpoints", keep_checkpoints, "newest checkpoints that are kept")
      .range(1, 1000);
  options.add("evaluate_epochs", evaluate_epochs,
              "epochs after which to evaluate; empty: every one");
  options.add("seed", seed, "fixes data order, augmentation, dropout, random initialisation")
      .range(0, 1e15);
  options.add("threads", threads, "threads of a tensor operation; 0: all processors")
      .range(0, 1024);
  options.add("device", device, "where to train").choices({"cpu", "cuda"});
}

void RunConfig::declare(Options& options) {
  options.section("data", data, "what to learn from, what to evaluate on");
  options.section("model", model, "the recogniser");
  options.section("tokenizer", tokenizer, "pieces, when no tokenizer is given");
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

// A name that is neither a scheme nor anything like a file's is a slip.
static void check_start(const std::string& init) {
  const std::vector<std::string> schemes = {"xavier", "he", "default"};
  if (std::find(schemes.begin(), schemes.end(), init) != schemes.end() ||
      init.find_first_of("./") != std::string::npos || fs::exists(init))
    return;
  const std::string near = nearest_name(init, schemes);
  throw UserError(fmt::format("train.init is '{}'", init),
                  fmt::format("{}write xavier, he, default, or the path of a model file",
                              near.empty() ? "" : fmt::format("did you mean '{}'? ", near)));
}

static void validate_distillation(const RunConfig& config) {
  const TrainConfig& train = config.train;
  if (!train.distill_until.empty()) parse_span(train.distill_until, 1, "train.distill_until");
  if (train.distill.empty()) return;
  if (train.distill_weight == 0 && train.distill_ctc_weight == 0)
    throw UserError("train.distill names a teacher and both weights are 0",
                    "set train.distill_weight or train.distill_ctc_weight");
  if (train.distill_ctc_weight > 0 && !config.model.ctc)
    throw UserError(fmt::format("train.distill_ctc_weight is {} and model.ctc is false",
                                train.distill_ctc_weight),
                    "set train.distill_ctc_weight = 0 or model.ctc = true");
  if (train.distill_weight > 0 && train.loss == "pruned")
    throw UserError(
        fmt::format("train.distill_weight is {} and train.loss is pruned", train.distill_weight),
        "set train.distill_weight = 0 (the CTC heads' distillation remains), or "
        "train.loss = \"exact\"");
}

void RunConfig::validate() const {
  model.validate();
  if (data.train.empty())
    throw UserError("data.train names no manifest",
                    "name at least one: data.train = [\"train.jsonl\"]");
  if (train.ctc_weight > 0 && !model.ctc)
    throw UserError(fmt::format("train.ctc_weight is {} and model.ctc is false", train.ctc_weight),
                    "set train.ctc_weight = 0 or model.ctc = true");
  if (train.loss == "pruned" && !model.simple_joiner)
    throw UserError("train.loss is pruned and model.simple_joiner is false",
                    "set model.simple_joiner = true or train.loss = \"exact\"");
  augment.validate();
  check_start(train.init);
  parse_span(train.warmup, 1, "train.warmup");
  parse_span(train.prune_warmup, 1, "train.prune_warmup");
  parse_span(train.checkpoint_every, 1, "train.checkpoint_every");
  validate_distillation(*this);
  for (const auto& [span, name] : {std::pair(train.copied_warmup, "train.copied_warmup"),
                                   std::pair(train.anchor_until, "train.anchor_until")})
    if (!span.empty()) parse_span(span, 1, name);
}

void resolve_paths(RunConfig& config, const fs::path& directory) {
  const auto resolve = [&](std::string& path) {
    if (!path.empty() && fs::path(path).is_relative()) path = (directory / path).lexically_normal();
  };
  for (std::string& path : config.data.train) resolve(path);
  for (std::string& entry : config.data.evaluation) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos)
      throw UserError(fmt::format("data.evaluation has '{}'", entry), "write \"name=manifest\"");
    std::string path = entry.substr(equals + 1);
    resolve(path);
    entry.replace(equals + 1, std::string::npos, path);
  }
  resolve(config.data.tokenizer);
  resolve(config.data.cache);
  resolve(config.augment.noise);
  resolve(config.augment.responses);
  resolve(config.train.distill);
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
    // What a CTC head would need is off, unless the file asks for it.
    const nlohmann::json named = table.is_object() ? table.value("train", nlohmann::json()) : table;
    if (!named.contains("ctc_weight")) config.train.ctc_weight = 0;
    if (!named.contains("distill_ctc_weight")) config.train.distill_ctc_weight = 0;
  }
  resolve_paths(config, directory);
}

RunConfig read_run_config(const fs::path& path) {
  RunConfig config;
  load_run_config(config, parse_toml(read_file(path), path.string()), path.string(),
                  fs::absolute(path).parent_path());
  return config;
}

bool is_configuration(const fs::path& path, const RunConfig& config) {
  RunConfig written, wanted = config;
  Options options;
  written.declare(options);
  options.load_toml(read_file(path), path.string());
  for (RunConfig* each : {&written, &wanted}) resolve_paths(*each, fs::current_path());
  return written.to_toml() == wanted.to_toml();
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

int64_t parse_span(const std::string& text, int64_t updates_per_epoch, const std::string& option) {
  size_t used = 0;
  double value = -1;
  try {
    value = std::stod(text, &used);
  } catch (const std::logic_error&) {
    used = 0;
  }
  const std::string unit = text.substr(used);
  if (used == 0 || value < 0 || (unit != "e" && unit != "u"))
    throw UserError(fmt::format("{} is '{}'", option, text),
                    "write a number and its unit: \"2e\" for epochs, \"500u\" for updates");
  return static_cast<int64_t>(
      std::llround(unit == "e" ? value * static_cast<double>(updates_per_epoch) : value));
}

}  // namespace scion
