#include "scion/recognition/batch_search.h"

#include "scion/core/log.h"
#include "scion/recognition/what_fits.h"

namespace scion {
namespace {

using Hypotheses = std::vector<Hypothesis>;

Hypotheses search(const Transducer& model, const Batch& batch, const SearchConfig& config,
                  const ForwardContext& context) {
  // Audio of which no encoder frame is made gives no labels.
  if (model.frames_out(batch.features.size(1)) == 0)
    return Hypotheses(static_cast<size_t>(batch.features.size(0)));
  const EncoderOutput encoded =
      model.encode(batch.features.to(model.device()), batch.feature_lengths, context);
  return find_hypotheses(model, encoded, config, context);
}

}  // namespace

Hypotheses search_batch(const Transducer& model, const Batch& batch, const Dataset& dataset,
                        const SearchConfig& config, const ForwardContext& context) {
  auto found = work_on_what_fits<Hypothesis>(
      batch, [&](const Batch& part) { return search(model, part, config, context); });
  Hypotheses hypotheses(found.size());
  for (size_t b = 0; b < found.size(); ++b) {
    if (found[b]) {
      hypotheses[b] = std::move(*found[b]);
      continue;
    }
    const Utterance utterance = dataset.utterance(static_cast<size_t>(batch.indices[b]));
    log_warning("out of memory on {} ({:.1f} min): it counts as not recognised", utterance.id,
                utterance.seconds / 60);
  }
  return hypotheses;
}

}  // namespace scion
