// Models of other toolkits → scion's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "scion/interchange/nemo_config.h"
#include "scion/model/model_file.h"

namespace scion {

struct ImportOptions {
  std::filesystem::path tokenizer;  ///< SentencePiece model; "": the archive's own
  /// For models trained with several attention contexts: one of them; the first by default.
  std::optional<AttentionContext> context;
};

struct ImportedModel {
  ModelFile file;
  std::vector<std::string> notes;  ///< what was left out, for the user
};

/// A model from NeMo's .nemo archive. UserError naming what is missing, broken, unknown, or nothing
/// that scion can compute.
ImportedModel import_model(const std::filesystem::path& path, const ImportOptions& options);

}  // namespace scion
