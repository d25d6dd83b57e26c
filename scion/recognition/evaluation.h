// A model's error rates on a set.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "scion/data/dataset.h"
#include "scion/model/transducer.h"
#include "scion/scoring/alignment.h"
#include "scion/search/greedy_search.h"
#include "scion/text/tokenizer.h"

namespace scion {

struct UtteranceResult {
  std::string id, speaker, reference, hypothesis;
  ErrorCounts words;
  Hypothesis search = {};  ///< the tokens of `hypothesis` and their encoder frames
};

struct EvaluationResult {
  ErrorCounts words, characters;
  std::vector<UtteranceResult> utterances;  ///< in the data set's order
  double audio_seconds = 0, seconds = 0;    ///< seconds of work (features read, search, scoring)

  /// "wer" in %, counts, "utterances": {id: [errors, words]}.
  nlohmann::json to_json() const;
};

struct EvaluationConfig {
  SearchConfig search;
  double batch_seconds = 120;
  bool bf16 = false;
};

/// Recognises every utterance greedily and aligns it with its text.
EvaluationResult evaluate(const Transducer& model, const Tokenizer& tokenizer,
                          const Dataset& dataset, const EvaluationConfig& config);

}  // namespace scion
