#include "scion/data/corpora/readers/utterance_ids.h"

#include <unordered_set>

#include "scion/core/error.h"
#include "scion/data/default_ids.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

std::string id_from_path(const Utterance& utterance, const fs::path& folder) {
  const fs::path relative = utterance.audio.lexically_relative(folder);
  const bool below = !relative.empty() && *relative.begin() != "..";
  fs::path path = below ? relative : utterance.audio;
  std::string id = path.replace_extension().generic_string();
  if (utterance.part.is_segment()) id += fmt::format("-{:.3f}", utterance.part.begin_seconds);
  return id;
}

}  // namespace

void fill_ids(Corpus& corpus, const fs::path& folder) {
  std::unordered_set<std::string> stems;
  bool repeat = false;
  for (const Utterance& utterance : corpus.utterances)
    repeat |= !stems
                   .insert(utterance.id.empty() ? default_id(utterance.audio, utterance.part)
                                                : utterance.id)
                   .second;
  for (Utterance& utterance : corpus.utterances)
    if (utterance.id.empty())
      utterance.id =
          repeat ? id_from_path(utterance, folder) : default_id(utterance.audio, utterance.part);
}

void check_utterances(const Corpus& corpus, const fs::path& source, const std::string& hint) {
  if (corpus.utterances.empty() && corpus.skipped.empty())
    throw UserError("no utterances in " + source.string(), hint);
  std::unordered_set<std::string> ids;
  for (const Utterance& utterance : corpus.utterances)
    if (!ids.insert(utterance.id).second)
      throw UserError(
          fmt::format("{}: two utterances are called '{}'", source.string(), utterance.id),
          "give every utterance an id of its own");
}

}  // namespace scion
