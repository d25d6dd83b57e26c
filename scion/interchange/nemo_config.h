// NeMo's model_config.yaml → scion's configuration.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scion/model/config.h"

namespace scion {

/// Encoder frames that attention sees on both sides, as in NeMo's att_context_size.
struct AttentionContext {
  int64_t left = -1, right = -1;
};

/// What a NeMo configuration says.
struct NemoConfig {
  ModelConfig model;
  std::string kind, version;            ///< "EncDecRNNTBPEModel", "3.0.0"
  int64_t labels = 0;                   ///< without blank, which is the last output
  std::vector<std::string> characters;  ///< of a model without a tokenizer
  std::string tokenizer_file;           ///< in the archive; "" where there is none
  std::vector<std::string> notes;       ///< what is left out, for the user
};

/// Of a model trained with several attention contexts `context` chooses one; the first by default.
/// UserError naming the key, for models and values that scion cannot compute.
NemoConfig read_nemo_config(const std::string& yaml, const std::string& file,
                            const std::optional<AttentionContext>& context);

}  // namespace scion
