// What was recognised, as a file and as a scored set.
#pragma once

#include <filesystem>

#include "scion/model/config.h"
#include "scion/recognition/evaluation.h"
#include "scion/scoring/score.h"

namespace scion {

/// By the extension: `.trn`, `.ctm` (word times from the encoder frames of their tokens), otherwise
/// JSON lines with id, text and pred_text.
void write_hypotheses(const std::filesystem::path& path, const EvaluationResult& result,
                      const ModelConfig& model, const Tokenizer& tokenizer);

/// The result as a scored set with alignments, for tables by speaker and of confusions. Its
/// interval is not drawn.
SetScore score_result(const EvaluationResult& result);

}  // namespace scion
