// What manifests list, as hashes: to tell later whether, and how much of it, has changed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace scion {

/// 16 bytes an utterance, in the order of the manifests.
struct ListedUtterances {
  std::vector<uint64_t> ids;       ///< stable_hash of the id
  std::vector<uint64_t> contents;  ///< of text, duration, offset and channel, as they are listed

  size_t size() const { return ids.size(); }
  bool operator==(const ListedUtterances&) const = default;
  /// Of all of it, in its order.
  std::string checksum() const;
};

/// Paths of audio do not count: files may move. UserError as of ManifestIndex.
ListedUtterances list_utterances(const std::vector<std::string>& manifests);

/// "2 utterances added, 0 removed, 1 changed" (another text, place or length), or "the same
/// utterances in another order"; "" when nothing has changed.
std::string change_text(const ListedUtterances& before, const ListedUtterances& now);

}  // namespace scion
