#include "scion/recognition/evaluation.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "scion/recognition/batch_search.h"

namespace scion {

nlohmann::json EvaluationResult::to_json() const {
  // JSON has no infinity: the rate of errors in references without a word is null.
  const auto percent = [](const ErrorCounts& counts) {
    const double rate = counts.rate();
    return std::isfinite(rate) ? nlohmann::json(100 * rate) : nlohmann::json();
  };
  const ErrorCounts& words = score.words;
  nlohmann::json json = {{"wer", percent(words)},
                         {"errors", words.errors()},
                         {"words", words.reference_length()},
                         {"substitutions", words.substitutions},
                         {"insertions", words.insertions},
                         {"deletions", words.deletions},
                         {"cer", percent(score.characters)}};
  nlohmann::json& each = json["utterances"] = nlohmann::json::object();
  for (const UtteranceScore& utterance : score.utterances)
    each[utterance.id] = {utterance.words.errors(), utterance.words.reference_length()};
  return json;
}

namespace {

// What the model can be expected to write: a tokenizer with rules of its own has changed the texts
// that it was trained on, too.
std::string reference_for(const Tokenizer& tokenizer, const std::string& text) {
  return tokenizer.normaliser().empty() ? text : tokenizer.spelled(text);
}

}  // namespace

EvaluationResult evaluate(const Transducer& model, const Tokenizer& tokenizer,
                          const Dataset& dataset, const EvaluationConfig& config) {
  const at::NoGradGuard no_grad;
  const auto start = std::chrono::steady_clock::now();
  EvaluationResult result;
  result.score.utterances.resize(dataset.size());
  result.utterances.resize(dataset.size());
  result.audio_seconds = dataset.total_seconds();
  const ForwardContext context = ForwardContext::for_recognition(config.bf16);
  for_each_batch(dataset, config.batch_seconds, [&](const Batch& batch) {
    const std::vector<Hypothesis> hypotheses =
        search_batch(model, batch, dataset, config.search, context);
    for (size_t b = 0; b < hypotheses.size(); ++b) {
      const auto i = static_cast<size_t>(batch.indices[b]);
      const Utterance utterance = dataset.utterance(i);
      const std::string text = tokenizer.decode(hypotheses[b].tokens);
      const std::string reference = reference_for(tokenizer, utterance.text);
      result.utterances[i] = {reference, text, hypotheses[b]};
      result.score.utterances[i] = score_texts(utterance.id, utterance.speaker, reference, text);
      result.score.add(result.score.utterances[i]);
    }
  });
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace scion
