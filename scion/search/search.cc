#include "scion/search/search.h"

#include "scion/core/options.h"
#include "scion/search/greedy_search.h"

namespace scion {

void SearchConfig::declare(Options& options) {
  options
      .add("symbols_per_frame", symbols_per_frame, "maximum number of labels in one encoder frame")
      .range(1, 100);
}

std::unique_ptr<Search> make_search(const Transducer& model, int64_t batch,
                                    const SearchConfig& config, const ForwardContext& context) {
  return std::make_unique<GreedySearch>(model, batch, config, context);
}

std::vector<Hypothesis> find_hypotheses(const Transducer& model, const EncoderOutput& encoded,
                                        const SearchConfig& config, const ForwardContext& context) {
  const auto search = make_search(model, encoded.frames.size(0), config, context);
  search->advance(encoded);
  return search->hypotheses();
}

}  // namespace scion
