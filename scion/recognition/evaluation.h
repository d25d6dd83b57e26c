// Error rates of a model on a data set.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "scion/data/dataset.h"
#include "scion/model/transducer.h"
#include "scion/scoring/score.h"
#include "scion/search/search.h"
#include "scion/text/tokenizer.h"

namespace scion {

struct UtteranceResult {
  std::string reference, hypothesis;
  Hypothesis search = {};  ///< the tokens of `hypothesis` and their encoder frames
};

struct EvaluationResult {
  SetScore score;                           ///< in the data set's order; no interval is computed
  std::vector<UtteranceResult> utterances;  ///< in the same order
  double audio_seconds = 0, seconds = 0;    ///< seconds of work (features read, search, scoring)

  /// "wer" in % (null: errors in a set whose references have no words), counts, "utterances": {id:
  /// [errors, words]}.
  nlohmann::json to_json() const;
};

struct EvaluationConfig {
  SearchConfig search;
  double batch_seconds = 120;
  bool bf16 = false;
};

/// Recognises every utterance and aligns it with its text, normalised by the tokenizer's own rules
/// where it has any.
EvaluationResult evaluate(const Transducer& model, const Tokenizer& tokenizer,
                          const Dataset& dataset, const EvaluationConfig& config);

}  // namespace scion
