// The sets that a run is evaluated on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scion/data/dataset.h"
#include "scion/model/transducer.h"
#include "scion/training/config/run_config.h"
#include "scion/training/training_log.h"

namespace scion {

class EvaluationSets {
 public:
  EvaluationSets(const RunConfig& config, const Tokenizer& tokenizer);

  /// Whether to evaluate after `epoch` (from 1): asked for by train.evaluate_epochs, or the last.
  bool due(int64_t epoch) const;
  /// Evaluates the model on every set and logs `record` with each result. Returns the word error
  /// rates as text.
  std::string evaluate(const Transducer& model, bool bf16, EvaluationRecord record,
                       TrainingLog& log) const;

 private:
  struct Set {
    std::string name;
    std::unique_ptr<Dataset> data;
  };
  const RunConfig& config_;
  const Tokenizer& tokenizer_;
  std::vector<Set> sets_;
};

}  // namespace scion
