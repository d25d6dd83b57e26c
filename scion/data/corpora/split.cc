#include "scion/data/corpora/split.h"

#include <set>

#include "scion/core/error.h"
#include "scion/core/random.h"

namespace scion {

std::pair<std::vector<Utterance>, std::vector<Utterance>> split_speakers(
    const std::vector<Utterance>& utterances, size_t count) {
  std::set<std::string> names;
  for (const Utterance& utterance : utterances) {
    if (utterance.speaker.empty())
      throw UserError(fmt::format("utterance '{}' has no speaker", utterance.id),
                      "speakers can be held out only where all are known");
    names.insert(utterance.speaker);
  }
  if (names.size() <= count)
    throw UserError(fmt::format("cannot hold out {} of {} speakers", count, names.size()),
                    "set fewer aside");
  std::vector<std::pair<uint64_t, std::string>> order;
  for (const std::string& name : names) order.emplace_back(stable_hash(name), name);
  std::sort(order.begin(), order.end());
  std::set<std::string> chosen;
  for (size_t i = 0; i < count; ++i) chosen.insert(order[i].second);
  std::pair<std::vector<Utterance>, std::vector<Utterance>> parts;
  for (const Utterance& utterance : utterances)
    (chosen.contains(utterance.speaker) ? parts.second : parts.first).push_back(utterance);
  return parts;
}

}  // namespace scion
