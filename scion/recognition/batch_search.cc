#include "scion/recognition/batch_search.h"

#include "scion/core/log.h"
#include "scion/core/out_of_memory.h"

namespace scion {
namespace {

using Hypotheses = std::vector<Hypothesis>;

struct Utterances {
  const at::Tensor &features, &lengths;
};

Hypotheses search(const Transducer& model, Utterances utterances, const SearchConfig& config,
                  const ForwardContext& context) {
  // Audio of which no encoder frame is made gives no labels.
  if (model.frames_out(utterances.features.size(1)) == 0)
    return Hypotheses(static_cast<size_t>(utterances.features.size(0)));
  const EncoderOutput encoded =
      model.encode(utterances.features.to(model.device()), utterances.lengths, context);
  return find_hypotheses(model, encoded, config, context);
}

/// Nothing when memory runs out.
std::optional<Hypotheses> try_search(const Transducer& model, Utterances utterances,
                                     const SearchConfig& config, const ForwardContext& context) {
  try {
    return search(model, utterances, config, context);
  } catch (const std::exception& error) {
    if (!is_out_of_memory(error)) throw;
    return std::nullopt;
  }
}

}  // namespace

Hypotheses search_batch(const Transducer& model, const Batch& batch, const Dataset& dataset,
                        const SearchConfig& config, const ForwardContext& context) {
  auto together = try_search(model, {batch.features, batch.feature_lengths}, config, context);
  if (together) return std::move(*together);
  Hypotheses hypotheses(batch.indices.size());
  for (size_t b = 0; b < hypotheses.size(); ++b) {
    const auto row = static_cast<int64_t>(b);
    const at::Tensor length = batch.feature_lengths.slice(0, row, row + 1);
    const at::Tensor features =
        batch.features.slice(0, row, row + 1).slice(1, 0, length.item<int64_t>());
    if (auto alone = try_search(model, {features, length}, config, context)) {
      hypotheses[b] = std::move(alone->front());
      continue;
    }
    const Utterance utterance = dataset.utterance(static_cast<size_t>(batch.indices[b]));
    log_warning("out of memory on {} ({:.1f} min): it counts as not recognised", utterance.id,
                utterance.seconds / 60);
  }
  return hypotheses;
}

}  // namespace scion
