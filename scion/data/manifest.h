// Manifests: JSON lines with NeMo's keys plus `id`, `speaker` and `channel`; paths relative to the
// file. With `offset` (seconds) an utterance is the part of its file from there on for `duration`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "scion/audio/audio_file.h"

namespace scion {

struct Utterance {
  std::string id;
  std::filesystem::path audio;  ///< absolute or relative to the working directory
  double seconds = 0;
  std::string text;
  std::string speaker = {};  ///< "" when unknown
  AudioPart part = {};       ///< of the file
};

/// Reads a manifest. Missing `id`: the audio file's stem, and the offset if there is one. UserError
/// with the line number on broken JSON, missing keys or duplicate ids.
std::vector<Utterance> read_manifest(const std::filesystem::path& path);

/// Writes it with audio paths relative to the manifest.
void write_manifest(const std::filesystem::path& path, const std::vector<Utterance>& utterances);

}  // namespace scion
