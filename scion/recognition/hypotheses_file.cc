#include "scion/recognition/hypotheses_file.h"

#include "scion/core/files/file.h"
#include "scion/recognition/word_times.h"
#include "scion/scoring/nist.h"

namespace scion {
namespace {

std::string hypotheses_trn(const EvaluationResult& result) {
  std::vector<Transcript> transcripts;
  for (const UtteranceResult& utterance : result.utterances)
    transcripts.push_back({utterance.id, utterance.hypothesis});
  return to_trn(transcripts);
}

std::string hypotheses_ctm(const EvaluationResult& result, const ModelConfig& model,
                           const Tokenizer& tokenizer) {
  std::vector<TimedTranscript> transcripts;
  for (const UtteranceResult& utterance : result.utterances)
    transcripts.push_back(
        {utterance.id, word_times(utterance.search, tokenizer, encoder_frame_seconds(model))});
  return to_ctm(transcripts);
}

std::string hypotheses_json(const EvaluationResult& result) {
  std::string lines;
  for (const UtteranceResult& utterance : result.utterances)
    lines += nlohmann::json({{"id", utterance.id},
                             {"text", utterance.reference},
                             {"pred_text", utterance.hypothesis}})
                 .dump() +
             "\n";
  return lines;
}

}  // namespace

void write_hypotheses(const std::filesystem::path& path, const EvaluationResult& result,
                      const ModelConfig& model, const Tokenizer& tokenizer) {
  const std::string form = path.extension();
  write_file(path, form == ".trn"   ? hypotheses_trn(result)
                   : form == ".ctm" ? hypotheses_ctm(result, model, tokenizer)
                                    : hypotheses_json(result));
}

SetScore score_result(const EvaluationResult& result) {
  std::vector<Transcript> references, hypotheses;
  for (const UtteranceResult& utterance : result.utterances) {
    references.push_back({utterance.id, utterance.reference, utterance.speaker});
    hypotheses.push_back({utterance.id, utterance.hypothesis});
  }
  return score(references, hypotheses, {.draws = 1});
}

}  // namespace scion
