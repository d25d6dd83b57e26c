// The whole configuration of a training run: one TOML file, one declaration.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scion/audio/augmentation/augment.h"
#include "scion/core/options.h"
#include "scion/data/loader.h"
#include "scion/data/manifest/named_manifest.h"
#include "scion/model/config.h"
#include "scion/text/tokenizer.h"
#include "scion/training/config/train_config.h"

namespace scion {

struct DataConfig {
  std::vector<std::string> train;  ///< manifests
  std::vector<NamedManifest> evaluation;
  std::string tokenizer;                   ///< a SentencePiece model; empty: trained on the texts
  DataCheck check = DataCheck::decode;     ///< of the training data
  double skip_share = default_skip_share;  ///< the most of a manifest that may be skipped
  std::string cache;                       ///< folder of feature stores; empty: none is kept

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
  /// UserError when values contradict each other.
  void validate() const;
};

/// Sets the options of a TOML table that has been read as JSON. `preset` in [model] is applied
/// first; relative paths are relative to `directory`.
void load_run_config(RunConfig& config, nlohmann::json table, const std::string& place,
                     const std::filesystem::path& directory);
/// `preset_name`, unless empty, replaces the file's model.preset.
RunConfig read_run_config(const std::filesystem::path& path, const std::string& preset_name = "");
/// Makes the configuration's relative paths relative to `directory`.
void resolve_paths(RunConfig& config, const std::filesystem::path& directory);

/// A [model] table alone, or a file with one.
ModelConfig read_model_config(const std::filesystem::path& path);

}  // namespace scion
