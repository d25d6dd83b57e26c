#include "scion/data/manifest/listed_utterances.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

#include "scion/core/files/file.h"
#include "scion/data/manifest/manifest_index.h"

namespace scion {

std::string ListedUtterances::checksum() const {
  const auto bytes = [](const std::vector<uint64_t>& hashes) {
    return std::string_view(reinterpret_cast<const char*>(hashes.data()),
                            hashes.size() * sizeof(uint64_t));
  };
  return scion::checksum(scion::checksum(bytes(ids)) + scion::checksum(bytes(contents)));
}

ListedUtterances list_utterances(const std::vector<std::string>& manifests) {
  ListedUtterances listed;
  for (const std::string& manifest : manifests) {
    const ManifestIndex index(manifest);
    for (size_t i = 0; i < index.size(); ++i) {
      listed.ids.push_back(index.id_hash(i));
      listed.contents.push_back(index.content_hash(i));
    }
  }
  return listed;
}

std::string change_text(const ListedUtterances& before, const ListedUtterances& now) {
  if (before == now) return "";
  std::unordered_map<uint64_t, uint64_t> contents;
  for (size_t i = 0; i < before.size(); ++i) contents.emplace(before.ids[i], before.contents[i]);
  size_t added = 0, changed = 0;
  for (size_t i = 0; i < now.size(); ++i) {
    const auto found = contents.find(now.ids[i]);
    if (found == contents.end())
      ++added;
    else {
      changed += found->second != now.contents[i] ? 1 : 0;
      contents.erase(found);
    }
  }
  const size_t removed = contents.size();
  if (added == 0 && removed == 0 && changed == 0) return "the same utterances in another order";
  return fmt::format("{} utterances added, {} removed, {} changed", added, removed, changed);
}

}  // namespace scion
