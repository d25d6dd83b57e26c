// Hypotheses of an evaluation as a file.
#pragma once

#include <filesystem>

#include "scion/model/config.h"
#include "scion/recognition/evaluation.h"

namespace scion {

/// By the extension: `.trn`, `.ctm` (word times from the encoder frames of their tokens), otherwise
/// JSON lines with id, text and pred_text.
void write_hypotheses(const std::filesystem::path& path, const EvaluationResult& result,
                      const ModelConfig& model, const Tokenizer& tokenizer);

}  // namespace scion
