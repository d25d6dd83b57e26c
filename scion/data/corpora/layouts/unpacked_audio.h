// Audio that is unpacked from archives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <unordered_set>

#include "scion/core/files/tar.h"
#include "scion/data/corpora/readers/readers.h"

namespace scion {

class UnpackedAudio {
 public:
  /// Makes the folder.
  explicit UnpackedAudio(std::filesystem::path folder);

  /// Writes the archive's current file. Its name is made of the archive's, without folders; nothing
  /// is ever written elsewhere.
  std::filesystem::path unpack(TarReader& archive);

  /// "12 audio files (3.4 MB) were unpacked …".
  std::string remark() const;

 private:
  std::filesystem::path folder_;
  std::unordered_set<std::string> names_;
  uint64_t bytes_ = 0;
};

/// Calls use(archive) for every file in an archive; an error in it is skipped under its name.
void for_each_member(const std::filesystem::path& archive, Corpus& corpus,
                     const std::function<void(TarReader& archive)>& use);

}  // namespace scion
