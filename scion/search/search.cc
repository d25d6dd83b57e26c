#include "scion/search/search.h"

#include "scion/core/error.h"
#include "scion/search/device_greedy_search.h"
#include "scion/search/frame_search.h"
#include "scion/search/tdt_search.h"

namespace scion {

std::unique_ptr<Search> make_search(const Transducer& model, int64_t batch,
                                    const SearchConfig& config, const ForwardContext& context) {
  if (!model.config().durations.empty()) {
    if (config.beam > 1)
      throw UserError("a beam search of a model with durations (TDT)",
                      "search it greedily: a beam of 1");
    return std::make_unique<TdtSearch>(model, batch, config, context);
  }
  // On a device a host that waits for every label costs more than steps that turn out to be idle.
  if (config.beam == 1 && !model.device().is_cpu())
    return std::make_unique<DeviceGreedySearch>(model, batch, config, context);
  return std::make_unique<FrameSearch>(model, batch, config, context);
}

std::vector<Hypothesis> find_hypotheses(const Transducer& model, const EncoderOutput& encoded,
                                        const SearchConfig& config, const ForwardContext& context) {
  const auto search = make_search(model, encoded.frames.size(0), config, context);
  search->advance(encoded);
  return search->hypotheses();
}

}  // namespace scion
