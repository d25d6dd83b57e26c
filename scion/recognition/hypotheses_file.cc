#include "scion/recognition/hypotheses_file.h"

#include <nlohmann/json.hpp>

#include "scion/core/files/file.h"
#include "scion/recognition/word_times.h"
#include "scion/scoring/nist.h"

namespace scion {
namespace {

std::string hypotheses_trn(const EvaluationResult& result) {
  std::vector<Transcript> transcripts;
  for (size_t i = 0; i < result.utterances.size(); ++i)
    transcripts.push_back({result.score.utterances[i].id, result.utterances[i].hypothesis});
  return to_trn(transcripts);
}

std::string hypotheses_ctm(const EvaluationResult& result, const ModelConfig& model,
                           const Tokenizer& tokenizer) {
  const double frame_seconds = encoder_frame_seconds(model);
  std::vector<TimedTranscript> transcripts;
  for (size_t i = 0; i < result.utterances.size(); ++i)
    transcripts.push_back({result.score.utterances[i].id,
                           word_times(result.utterances[i].search, tokenizer, frame_seconds)});
  return to_ctm(transcripts);
}

std::string hypotheses_json(const EvaluationResult& result) {
  std::string lines;
  for (size_t i = 0; i < result.utterances.size(); ++i)
    lines += nlohmann::json({{"id", result.score.utterances[i].id},
                             {"text", result.utterances[i].reference},
                             {"pred_text", result.utterances[i].hypothesis}})
                 .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
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

}  // namespace scion
