// Everything that a training run is told: one TOML file, one declaration.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scion/audio/augmentation/augment.h"
#include "scion/core/options.h"
#include "scion/data/loader.h"
#include "scion/model/config.h"
#include "scion/text/tokenizer.h"

namespace scion {

struct DataConfig {
  std::vector<std::string> train;       ///< manifests
  std::vector<std::string> evaluation;  ///< "name=manifest"
  std::string tokenizer;                ///< a SentencePiece model; empty: made from the text
  std::string check = "decode";         ///< decode, trust: see DataCheck; of the training data
  std::string cache;                    ///< folder of feature stores; empty: none is kept

  void declare(Options& options);
};

struct TrainConfig {
  std::string init = "xavier";  ///< xavier, he, default, or a model file
  int64_t epochs = 20;
  double peak_lr = 4e-3;
  std::string schedule = "cosine";  ///< cosine, noam, constant; all after a linear warm-up
  std::string warmup = "1e";        ///< "2e": epochs, "500u": updates
  double final_lr_share = 0.02;     ///< cosine ends at this share of the peak
  double beta1 = 0.9, beta2 = 0.98;
  double weight_decay = 0.01;            ///< of matrices and kernels
  double clip_norm = 5;                  ///< 0: no clipping
  int64_t accumulate = 1;                ///< batches an update
  double ctc_weight = 0.3;               ///< the transducer loss gets the rest
  std::string loss = "exact";            ///< of the transducer: exact, pruned
  int64_t loss_workspace = 64;           ///< MB of logits kept for the loss's backward pass
  int64_t prune_width = 5;               ///< pruned: states that the joiner sees in a frame
  double simple_weight = 0.5;            ///< pruned: weight of the first pass's loss
  double simple_predictor_share = 0.25;  ///< of the first pass: a loss of the predictor alone
  std::string prune_warmup = "1e";       ///< pruned: until then the first pass weighs more
  double fast_emit = 0;                  ///< FastEmit's weight
  double delay_penalty = 0;              ///< on labels in late frames

  std::string distill;                     ///< a teacher's model file; empty: no distillation
  double distill_weight = 0.5;             ///< of the lattice nodes' divergence
  std::string distill_nodes = "occupied";  ///< all, occupied
  double distill_ctc_weight = 0.5;         ///< of the CTC heads' divergence
  double distill_ctc_temperature = 1;      ///< both CTC heads' logits are divided by it
  std::string distill_until;               ///< "4e", "500u"; empty: to the end
  bool distill_fade = false;               ///< weights fall linearly to zero at distill_until

  double copied_lr_scale = 1;        ///< rate of copied parameters, as a share of the others'
  std::string copied_warmup;         ///< warm-up of copied parameters; empty: warmup
  double anchor_decay = 0;           ///< of copied parameters towards their first values
  std::string anchor_until;          ///< "4e", "500u"; empty: to the end
  double batch_norm_momentum = 0.1;  ///< share of a batch in the running statistics

  std::string precision = "auto";  ///< auto, fp32, bf16
  int64_t average_last = 1;        ///< epochs whose weights the final model averages
  int64_t measure_every = 0;       ///< updates between measurements of the path; 0: none
  std::string checkpoint_every = "1e";
  int64_t keep_checkpoints = 2;
  std::vector<int64_t> evaluate_epochs;  ///< empty: every epoch
  int64_t seed = 1;
  int64_t threads = 0;         ///< 0: all processors
  std::string device = "cpu";  ///< cpu, cuda

  void declare(Options& options);
};

struct RunConfig {
  DataConfig data;
  ModelConfig model;
  TokenizerConfig tokenizer;
  LoaderConfig loader;
  AugmentConfig augment;
  TrainConfig train;

  void declare(Options& options);
  std::string to_toml() const;
  /// UserError when values do not fit together.
  void validate() const;
};

/// A configuration from TOML that has been read as JSON. `preset` in [model] is applied first;
/// relative paths are taken from `directory`.
void load_run_config(RunConfig& config, nlohmann::json table, const std::string& place,
                     const std::filesystem::path& directory);
RunConfig read_run_config(const std::filesystem::path& path);
/// Takes the configuration's relative paths from `directory`.
void resolve_paths(RunConfig& config, const std::filesystem::path& directory);

/// Whether the file, as to_toml() wrote it, says what `config` says. Options that it lacks, because
/// an older program wrote it, have their defaults; relative paths are those of the current folder.
bool is_configuration(const std::filesystem::path& path, const RunConfig& config);

/// A [model] table alone, or a file with one.
ModelConfig read_model_config(const std::filesystem::path& path);

/// "2e", "500u" → updates.
int64_t parse_span(const std::string& text, int64_t updates_per_epoch, const std::string& option);

}  // namespace scion
