#include "scion/search/search.h"

#include "scion/core/options.h"
#include "scion/search/device_greedy_search.h"
#include "scion/search/greedy_search.h"
#include "scion/search/tdt_search.h"

namespace scion {

void SearchConfig::declare(Options& options) {
  options
      .add("symbols_per_frame", symbols_per_frame, "maximum number of labels in one encoder frame")
      .range(1, 100);
  options.add("frame_limit", frame_limit,
              "TDT: what symbols_per_frame counts. labels: those of duration 0, after which the "
              "next frame follows; steps: blanks too, and a frame is added to the last duration");
}

std::unique_ptr<Search> make_search(const Transducer& model, int64_t batch,
                                    const SearchConfig& config, const ForwardContext& context) {
  if (!model.config().durations.empty())
    return std::make_unique<TdtSearch>(model, batch, config, context);
  // On a device a host that waits for every label costs more than steps that turn out to be idle.
  if (!model.device().is_cpu())
    return std::make_unique<DeviceGreedySearch>(model, batch, config, context);
  return std::make_unique<GreedySearch>(model, batch, config, context);
}

std::vector<Hypothesis> find_hypotheses(const Transducer& model, const EncoderOutput& encoded,
                                        const SearchConfig& config, const ForwardContext& context) {
  const auto search = make_search(model, encoded.frames.size(0), config, context);
  search->advance(encoded);
  return search->hypotheses();
}

}  // namespace scion
