// Manifests: JSON lines with NeMo's keys plus `id`, `speaker` and `channel`; paths relative to the
// file. With `offset` (seconds) an utterance is the part of its file from there on for `duration`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scion/audio/audio_file.h"

namespace scion {

inline constexpr auto name_hint = "a manifest holds text: rename the file or folder in UTF-8";

struct Utterance {
  std::string id;
  std::filesystem::path audio;  ///< absolute or relative to the working directory
  double seconds = 0;
  std::string text;
  std::string speaker = {};  ///< "" when unknown
  AudioPart part = {};       ///< of the file
};

/// Reads a manifest. Missing ids: see default_ids(). UserError
/// with the line number on broken JSON, missing keys or duplicate ids.
std::vector<Utterance> read_manifest(const std::filesystem::path& path);

/// Writes it with audio paths relative to the manifest. UserError when one of them is not UTF-8.
void write_manifest(const std::filesystem::path& path, const std::vector<Utterance>& utterances);

}  // namespace scion
