// Manifests: JSON lines with NeMo's keys plus `id` and `speaker`; paths relative to the file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace scion {

struct Utterance {
  std::string id;
  std::filesystem::path audio;  ///< absolute or relative to the working directory
  double seconds = 0;
  std::string text;
  std::string speaker;  ///< "" when unknown
};

/// Reads a manifest. Missing `id`: the audio file's stem. UserError with the line number on broken
/// JSON, missing keys or duplicate ids.
std::vector<Utterance> read_manifest(const std::filesystem::path& path);

/// Writes it with audio paths relative to the manifest.
void write_manifest(const std::filesystem::path& path, const std::vector<Utterance>& utterances);

/// A LibriSpeech tree (`speaker/chapter/*.trans.txt` beside the audio): sorted by id; texts lower
/// case. UserError when no transcript is found.
std::vector<Utterance> read_librispeech(const std::filesystem::path& directory);

}  // namespace scion
