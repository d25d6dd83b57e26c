#include "scion/recognition/evaluation.h"

#include <chrono>

namespace scion {

nlohmann::json EvaluationResult::to_json() const {
  nlohmann::json json = {
      {"wer", 100 * words.rate()},         {"errors", words.errors()},
      {"words", words.reference_length()}, {"substitutions", words.substitutions},
      {"insertions", words.insertions},    {"deletions", words.deletions},
      {"cer", 100 * characters.rate()}};
  nlohmann::json& each = json["utterances"] = nlohmann::json::object();
  for (const UtteranceResult& utterance : utterances)
    each[utterance.id] = {utterance.words.errors(), utterance.words.reference_length()};
  return json;
}

EvaluationResult evaluate(const Transducer& model, const Tokenizer& tokenizer,
                          const Dataset& dataset, const EvaluationConfig& config) {
  const at::NoGradGuard no_grad;
  const auto start = std::chrono::steady_clock::now();
  const ForwardContext context = ForwardContext::for_evaluation(config.bf16);
  EvaluationResult result;
  result.utterances.resize(dataset.size());
  result.audio_seconds = dataset.total_seconds();
  for (const std::vector<int64_t>& indices : evaluation_batches(dataset, config.batch_seconds)) {
    std::vector<at::Tensor> features;
    for (const int64_t i : indices)
      features.push_back(dataset.features(static_cast<size_t>(i), 1.0));
    const Batch batch = collate(dataset, indices, features);
    const EncoderOutput encoded =
        model.encode(batch.features.to(model.device()), batch.feature_lengths, context);
    const std::vector<Hypothesis> hypotheses =
        greedy_search(model, encoded, config.search, context);
    for (size_t b = 0; b < indices.size(); ++b) {
      const size_t i = static_cast<size_t>(indices[b]);
      const Utterance& utterance = dataset.utterance(i);
      const std::string text = tokenizer.decode(hypotheses[b].tokens);
      result.utterances[i] = {
          utterance.id, utterance.speaker, utterance.text, text, word_errors(utterance.text, text),
          hypotheses[b]};
      result.words += result.utterances[i].words;
      result.characters += character_errors(utterance.text, text);
    }
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace scion
