#include "scion/recognition/evaluation.h"

#include <chrono>
#include <nlohmann/json.hpp>

namespace scion {

nlohmann::json EvaluationResult::to_json() const {
  const ErrorCounts& words = score.words;
  nlohmann::json json = {
      {"wer", 100 * words.rate()},           {"errors", words.errors()},
      {"words", words.reference_length()},   {"substitutions", words.substitutions},
      {"insertions", words.insertions},      {"deletions", words.deletions},
      {"cer", 100 * score.characters.rate()}};
  nlohmann::json& each = json["utterances"] = nlohmann::json::object();
  for (const UtteranceScore& utterance : score.utterances)
    each[utterance.id] = {utterance.words.errors(), utterance.words.reference_length()};
  return json;
}

EvaluationResult evaluate(const Transducer& model, const Tokenizer& tokenizer,
                          const Dataset& dataset, const EvaluationConfig& config) {
  const at::NoGradGuard no_grad;
  const auto start = std::chrono::steady_clock::now();
  const ForwardContext context = ForwardContext::for_evaluation(config.bf16);
  EvaluationResult result;
  result.score.utterances.resize(dataset.size());
  result.utterances.resize(dataset.size());
  result.audio_seconds = dataset.total_seconds();
  for_each_batch(dataset, config.batch_seconds, [&](const Batch& batch) {
    const EncoderOutput encoded =
        model.encode(batch.features.to(model.device()), batch.feature_lengths, context);
    const auto hypotheses = find_hypotheses(model, encoded, config.search, context);
    for (size_t b = 0; b < hypotheses.size(); ++b) {
      const auto i = static_cast<size_t>(batch.indices[b]);
      const Utterance utterance = dataset.utterance(i);
      const std::string text = tokenizer.decode(hypotheses[b].tokens);
      result.utterances[i] = {utterance.text, text, hypotheses[b]};
      result.score.utterances[i] =
          score_texts(utterance.id, utterance.speaker, utterance.text, text);
      result.score.add(result.score.utterances[i]);
    }
  });
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace scion
