// Open audio files of every format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "scion/core/files/file.h"

namespace scion {

/// Samples of all channels in turn, in [-1, 1] unless the file goes beyond.
using TakeSamples = std::function<void(std::span<const float>)>;

/// A stretch of a file that has one sample rate and one number of channels. Most files are one;
/// files that were joined (MP3, chained Ogg) may be more.
struct AudioSection {
  int64_t sample_rate = 0, channels = 0;
  int64_t frames = 0;  ///< samples of each channel, as decoding gives them
  /// Decodes the frames [begin, end).
  std::function<void(int64_t begin, int64_t end, const TakeSamples& take)> decode;
  double seconds() const { return double(frames) / double(sample_rate); }
};

/// The sections of a file in order, with the bytes that they are decoded from.
struct AudioSource {
  MappedFile file;
  std::vector<AudioSection> sections;
  double seconds() const;
};

/// UserError naming the file: missing, empty, not audio, not whole.
AudioSource open_audio(const std::filesystem::path& path);

}  // namespace scion
