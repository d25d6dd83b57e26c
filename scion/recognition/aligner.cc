#include "scion/recognition/aligner.h"

#include "scion/loss/alignment.h"
#include "scion/recognition/what_fits.h"
#include "scion/recognition/word_times.h"

namespace scion {
namespace {

std::vector<ForcedAlignment> align_batch(const Transducer& model, const Batch& batch) {
  const ForwardContext context;
  const EncoderOutput encoded =
      model.encode(batch.features.to(model.device()), batch.feature_lengths, context);
  const at::Tensor predicted = model.predictor().forward(batch.tokens, context);
  return best_alignments(model.joiner().inputs(encoded.frames, predicted, context),
                         {batch.tokens, encoded.lengths, batch.token_lengths}, {},
                         {.durations = model.config().durations});
}

UtteranceAlignment to_utterance(const std::optional<ForcedAlignment>& found,
                                const Utterance& utterance, const Tokenizer& tokenizer,
                                double frame_seconds) {
  if (!found)
    return {utterance.id, fmt::format("out of memory ({:.1f} min)", utterance.seconds / 60)};
  const ForcedAlignment& alignment = *found;
  const std::vector<int64_t> tokens = tokenizer.encode(utterance.text);
  if (alignment.frames.size() != tokens.size())
    return {utterance.id, fmt::format("{} tokens, more than {:.2f} s of audio can hold",
                                      tokens.size(), utterance.seconds)};
  UtteranceAlignment result{utterance.id};
  result.words =
      word_times({tokens, alignment.frames, alignment.durations}, tokenizer, frame_seconds);
  result.log_probability = alignment.log_probability;
  for (size_t u = 0; u < tokens.size(); ++u)
    result.tokens.push_back({tokenizer.piece(tokens[u]),
                             static_cast<double>(alignment.frames[u]) * frame_seconds,
                             alignment.probabilities[u]});
  return result;
}

}  // namespace

std::vector<UtteranceAlignment> align_utterances(const Transducer& model, const Dataset& dataset,
                                                 double batch_seconds,
                                                 const std::function<void(int64_t)>& progress) {
  const at::NoGradGuard no_grad;
  const double frame_seconds = encoder_frame_seconds(model.config());
  std::vector<UtteranceAlignment> results(dataset.size());
  int64_t done = 0;
  for_each_batch(dataset, batch_seconds, [&](const Batch& batch) {
    const auto alignments = work_on_what_fits<ForcedAlignment>(
        batch, [&](const Batch& part) { return align_batch(model, part); });
    for (size_t b = 0; b < alignments.size(); ++b) {
      const auto i = static_cast<size_t>(batch.indices[b]);
      results[i] =
          to_utterance(alignments[b], dataset.utterance(i), dataset.tokenizer(), frame_seconds);
    }
    done += static_cast<int64_t>(alignments.size());
    if (progress) progress(done);
  });
  return results;
}

}  // namespace scion
