#include "scion/data/manifest/default_ids.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "scion/data/manifest/unique_ids.h"

namespace scion {
namespace {

namespace fs = std::filesystem;

std::string begin_text(const AudioPart& part) {
  return part.is_segment() ? fmt::format("-{:.3f}", part.begin_seconds) : "";
}

std::string whole_part_text(const AudioPart& part) {
  std::string text = begin_text(part);
  if (part.seconds > 0) text += fmt::format("-{:.3f}", part.begin_seconds + part.seconds);
  if (part.channel >= 0) text += fmt::format("-channel{}", part.channel);
  return text;
}

bool all_differ(const std::vector<std::string>& ids) {
  return std::unordered_set<std::string>(ids.begin(), ids.end()).size() == ids.size();
}

/// The id of the file of each utterance.
std::vector<std::string> file_ids(const std::vector<const Utterance*>& utterances) {
  std::vector<fs::path> files;
  std::unordered_map<std::string, size_t> places;
  std::vector<size_t> place_of_utterance;
  for (const Utterance* utterance : utterances) {
    const fs::path file = utterance->audio.lexically_normal();
    const auto [place, is_new] = places.emplace(file.string(), files.size());
    if (is_new) files.push_back(file);
    place_of_utterance.push_back(place->second);
  }
  const std::vector<std::string> names = unique_ids(files);
  std::vector<std::string> ids;
  for (const size_t place : place_of_utterance) ids.push_back(names[place]);
  return ids;
}

}  // namespace

std::string default_id(const fs::path& audio, const AudioPart& part) {
  return audio.stem().string() + begin_text(part);
}

std::vector<std::string> default_ids(const std::vector<const Utterance*>& utterances) {
  std::vector<std::string> ids;
  for (const Utterance* utterance : utterances)
    ids.push_back(default_id(utterance->audio, utterance->part));
  if (all_differ(ids)) return ids;
  const std::vector<std::string> files = file_ids(utterances);
  std::unordered_map<std::string, size_t> counts;
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = files[i] + begin_text(utterances[i]->part);
    ++counts[ids[i]];
  }
  for (size_t i = 0; i < ids.size(); ++i)
    if (counts[ids[i]] > 1) ids[i] = files[i] + whole_part_text(utterances[i]->part);
  return ids;
}

void fill_default_ids(std::vector<Utterance>& utterances) {
  std::vector<const Utterance*> without;
  for (const Utterance& utterance : utterances)
    if (utterance.id.empty()) without.push_back(&utterance);
  const std::vector<std::string> ids = default_ids(without);
  size_t next = 0;
  for (Utterance& utterance : utterances)
    if (utterance.id.empty()) utterance.id = ids[next++];
}

}  // namespace scion
