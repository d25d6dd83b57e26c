#include "scion/training/evaluation_sets.h"

namespace scion {
namespace fs = std::filesystem;

EvaluationSets::EvaluationSets(const RunConfig& config, const Tokenizer& tokenizer)
    : config_(config), tokenizer_(tokenizer) {
  for (const NamedManifest& set : config.data.evaluation)
    sets_.push_back({set.name, std::make_unique<Dataset>(
                                   std::vector<fs::path>{set.path}, config.model.features,
                                   tokenizer, config.data.cache, std::vector<double>{1.0},
                                   config.model.text, DataCheck::decode, DataPurpose::evaluation)});
}

bool EvaluationSets::due(int64_t epoch) const {
  const std::vector<int64_t>& asked = config_.train.evaluate_epochs;
  return asked.empty() || epoch == config_.train.epochs ||
         std::find(asked.begin(), asked.end(), epoch) != asked.end();
}

std::string EvaluationSets::evaluate(const Transducer& model, bool bf16, EvaluationRecord record,
                                     TrainingLog& log) const {
  std::string text;
  EvaluationConfig evaluation;
  evaluation.bf16 = bf16;
  for (const Set& set : sets_) {
    const EvaluationResult result = scion::evaluate(model, tokenizer_, *set.data, evaluation);
    record.set = set.name;
    log.add(record, result);
    text += fmt::format(" {} {:.2f} %", set.name, 100 * result.score.words.rate());
  }
  return text;
}

}  // namespace scion
